"""Watches the event loop from a thread and says where it stands still."""

import asyncio
import os
import sys
import threading
import time
import traceback
from types import FrameType

from prewarm_agent.doctor.instruments import Recorder
from prewarm_agent.doctor.observation import Stall

STALL_SECONDS = 0.15
_BEAT_SECONDS = 0.02


class StallWatch:
    """Between `start` and `stop`, each stretch in which the loop did not turn is recorded with what it was doing."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._beat_at = time.perf_counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._main = threading.main_thread().ident
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """In the loop that is to be watched."""
        self._task = asyncio.get_running_loop().create_task(self._beat())
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._task is not None:
            self._task.cancel()

    async def _beat(self) -> None:
        while True:
            self._beat_at = time.perf_counter()
            await asyncio.sleep(_BEAT_SECONDS)

    def _watch(self) -> None:
        """Counts only the time in which this thread was on time: a busy machine holds up both, and is no fault."""
        seen_beat, looked_at, stood_seconds, where, phase = self._beat_at, time.perf_counter(), 0.0, "", ""
        while not self._ended.wait(_BEAT_SECONDS):
            now = time.perf_counter()
            if self._beat_at != seen_beat:
                if where:
                    self._recorder.observation.stalls.append(Stall(phase, where, stood_seconds))
                seen_beat, stood_seconds, where = self._beat_at, 0.0, ""
            else:
                stood_seconds += min(now - looked_at, 2 * _BEAT_SECONDS)
                if stood_seconds > STALL_SECONDS and not where:
                    where, phase = self._where(), self._recorder.current.name
            looked_at = now

    def _where(self) -> str:
        """The innermost line of the user's own code, or of whatever runs."""
        assert self._main is not None
        frame: FrameType | None = sys._current_frames().get(self._main)
        stack = traceback.extract_stack(frame)
        own = [line for line in stack if _is_users(line.filename)]
        line = (own or stack)[-1]
        return f"{os.path.relpath(line.filename)}:{line.lineno} in {line.name}"


def _is_users(filename: str) -> bool:
    return (
        "site-packages" not in filename
        and not filename.startswith((sys.base_prefix, "<"))
        and (f"{os.sep}prewarm_agent{os.sep}" not in filename)
    )
