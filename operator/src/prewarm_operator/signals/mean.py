"""The mean of a load over a tick: what a forecast learns from, for a load that is told at its every change."""

import math


class TickMean:
    """Weighs each value by the time for which it held. NaN is a time in which nothing is known."""

    def __init__(self) -> None:
        self._value = math.nan
        self._since = 0.0
        self._area = 0.0
        self._known_seconds = 0.0

    def set(self, value: float, now: float) -> None:
        """From `now` (monotonic seconds) on the load is `value`."""
        self._add(now)
        self._value = value

    def take(self, now: float) -> float:
        """The mean since the last take, of the time in which it was known; NaN if that was never. Begins anew."""
        self._add(now)
        mean = self._area / self._known_seconds if self._known_seconds > 0 else math.nan
        self._area = self._known_seconds = 0.0
        return mean

    def _add(self, now: float) -> None:
        if not math.isnan(self._value):
            self._area += self._value * (now - self._since)
            self._known_seconds += now - self._since
        self._since = now
