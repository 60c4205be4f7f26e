"""Measures how late the event loop is, says what it is doing when it does not turn at all, and when to give it up."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
# A loop that stands still for longer answers nobody: neither users nor, on the same loop, the kubelet's probes.
STUCK_SECONDS = 2.0
# As late as that at each measurement for so long, it is not coming back: one long call is over by then.
GIVE_UP_SECONDS = 60.0


class Watchdog:
    """Give it the loop's thread by calling `run` in it. `on_lag` gets seconds, about twice a second.

    `on_verdict` gets why only a restart helps, as a sentence, or None, whenever that changes. A loop that stands for
    ever cannot be told about: it does not answer the kubelet either.
    """

    def __init__(self, on_lag: Callable[[float], object], on_verdict: Callable[[str | None], object]) -> None:
        self._on_lag = on_lag
        self._on_verdict = on_verdict
        self._beat_at = time.monotonic()
        self._late_since: float | None = None
        self._given_up = False
        self._loop_thread = threading.get_ident()
        self._ended = threading.Event()

    async def run(self) -> None:
        """Measures until cancelled."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        try:
            while True:
                due, waited = time.monotonic() + INTERVAL_SECONDS, cpu_wait_seconds()
                await asyncio.sleep(INTERVAL_SECONDS)
                self._beat_at = time.monotonic()
                lag = max(0.0, self._beat_at - due)
                self._on_lag(lag)
                # A pod that gets too little CPU is slow, not broken, and a start would cost it more.
                self._judge(lag - (cpu_wait_seconds() - waited))
        finally:
            self._ended.set()

    def _judge(self, lag_seconds: float) -> None:
        if lag_seconds <= STUCK_SECONDS:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = self._beat_at
        given_up = self._late_since is not None and self._beat_at - self._late_since > GIVE_UP_SECONDS
        if given_up != self._given_up:
            self._given_up = given_up
            sentence = (
                f"For {GIVE_UP_SECONDS:.3g} s the event loop has been more than {STUCK_SECONDS:.3g} s late each "
                "time; the log tells the lines that hold it, which belong into a thread."
            )
            logger.error("event loop given up" if given_up else "event loop turns again")
            self._on_verdict(sentence if given_up else None)

    def _watch(self) -> None:
        told_of = 0.0
        while not self._ended.wait(INTERVAL_SECONDS):
            beat_at = self._beat_at
            stands_for = time.monotonic() - beat_at - INTERVAL_SECONDS
            if stands_for > STUCK_SECONDS and told_of != beat_at:
                told_of = beat_at  # once for each time that it stands
                logger.error("event loop stands", extra={"seconds": round(stands_for, 1), "where": self._where()})

    def _where(self) -> list[str]:
        """The innermost lines of the loop's thread: file, line and function, no values."""
        stack = traceback.extract_stack(sys._current_frames().get(self._loop_thread))
        return [f"{line.filename}:{line.lineno} {line.name}" for line in stack[-6:]]


def cpu_wait_seconds() -> float:
    """How long the calling thread could have run so far and got no CPU; 0 where the kernel does not tell."""
    with suppress(OSError, ValueError, IndexError):
        # "running waiting slices", times in nanoseconds (Linux, Documentation/scheduler/sched-stats).
        return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    return 0.0
