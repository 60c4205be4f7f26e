"""Measures how late the event loop is, and says what it is doing when it does not turn at all."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
# A loop that stands still for longer answers nobody: neither users nor, on the same loop, the kubelet's probes.
STUCK_SECONDS = 2.0


class Watchdog:
    """Give it the loop's thread by calling `run` in it. `on_lag` gets seconds, about twice a second."""

    def __init__(self, on_lag: Callable[[float], object], *, stuck_seconds: float = STUCK_SECONDS) -> None:
        self._on_lag = on_lag
        self._stuck_seconds = stuck_seconds
        self._beat_at = time.monotonic()
        self._loop_thread = threading.get_ident()
        self._ended = threading.Event()

    async def run(self) -> None:
        """Measures until cancelled."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        try:
            while True:
                due = time.monotonic() + INTERVAL_SECONDS
                await asyncio.sleep(INTERVAL_SECONDS)
                self._beat_at = time.monotonic()
                self._on_lag(max(0.0, self._beat_at - due))
        finally:
            self._ended.set()

    def _watch(self) -> None:
        told_of = 0.0
        while not self._ended.wait(INTERVAL_SECONDS):
            beat_at = self._beat_at
            stands_for = time.monotonic() - beat_at - INTERVAL_SECONDS
            if stands_for > self._stuck_seconds and told_of != beat_at:
                told_of = beat_at  # once for each time that it stands
                logger.error("event loop stands", extra={"seconds": round(stands_for, 1), "where": self._where()})

    def _where(self) -> list[str]:
        """The innermost lines of the loop's thread: file, line and function, no values."""
        stack = traceback.extract_stack(sys._current_frames().get(self._loop_thread))
        return [f"{line.filename}:{line.lineno} {line.name}" for line in stack[-6:]]
