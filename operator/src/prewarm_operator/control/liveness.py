"""Whether a restart of this process would help: its event loop is stuck, or its election loop is."""

import asyncio
import time
from collections.abc import Callable

from prewarm_operator import metrics

INTERVAL_SECONDS = 1.0
LAG_LIMIT_SECONDS = 10.0
SILENCE_LIMIT_SECONDS = 30.0
"""The election loop makes at most three calls of two seconds and sleeps as long, so this is no slow API server."""


class Liveness:
    """Measures the lag of the event loop. An API server that is away is no fault: a restart would not bring it back.

    `election_silent_seconds` says how long the election loop has not turned; `clock` is monotonic, in seconds.
    """

    def __init__(
        self, election_silent_seconds: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._election_silent_seconds = election_silent_seconds
        self._clock = clock
        self._due = clock() + INTERVAL_SECONDS

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            self._due = self._clock() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            metrics.EVENT_LOOP_LAG_SECONDS.observe(self._lag_seconds())

    def fault(self) -> str | None:
        """What is wrong, in one sentence, or None."""
        if (lag := self._lag_seconds()) > LAG_LIMIT_SECONDS:
            return f"the event loop lags by {lag:.0f} s"
        if (silence := self._election_silent_seconds()) > SILENCE_LIMIT_SECONDS:
            return f"the election loop has not turned for {silence:.0f} s"
        return None

    def _lag_seconds(self) -> float:
        return max(0.0, self._clock() - self._due)
