"""How fast the number of pods may change: stabilization and rates, as a HorizontalPodAutoscaler has them."""

import math

from prewarm_operator.decide.scaling.model import Rate

Dated = tuple[tuple[float, int], ...]
"""Numbers with their times, oldest first."""


def remember(recommended: Dated, count: int, now: float, window_seconds: float) -> Dated:
    """The recommendations of the window with a new one: those that can still be its greatest, so they fall."""
    kept = [entry for entry in recommended if entry[0] > now - window_seconds]
    while kept and kept[-1][1] <= count:
        kept.pop()
    return (*kept, (now, count))


def within(changes: Dated, now: float, period_seconds: float) -> Dated:
    """The changes of the last period."""
    return tuple(change for change in changes if change[0] > now - period_seconds)


def most(current: int, changes: Dated, rate: Rate, now: float) -> int:
    """How far the number may rise."""
    start = current - sum(pods for _, pods in within(changes, now, rate.period_seconds))
    return max(start + rate.pods, math.ceil(start * (1 + rate.percent / 100)))


def fewest(current: int, changes: Dated, rate: Rate, now: float) -> int:
    """How far the number may fall."""
    start = current - sum(pods for _, pods in within(changes, now, rate.period_seconds))
    return max(0, min(start - rate.pods, math.floor(start * (1 - rate.percent / 100))))
