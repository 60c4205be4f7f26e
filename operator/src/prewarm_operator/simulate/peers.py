"""The policies of others: HorizontalPodAutoscaler, Knative's KPA, a fixed number, and one that knows the future."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from prewarm_operator.decide.scaling import pace
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.model import Rate
from prewarm_operator.decide.scaling.terms import pods_for
from prewarm_operator.simulate.pods import Ask


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast a policy may change the number of pods. `up` None: at once."""

    up: Rate | None
    down: Rate
    stabilization_seconds: float


HPA_DEFAULT = Limits(up=Rate(4, 100.0, 15.0), down=Rate(0, 100.0, 15.0), stabilization_seconds=300.0)
HPA_TOLERANCE = 0.1


class HPA:
    """autoscaling/v2 on the average of requests per pod, with its default tolerance and, unless told, behaviour."""

    def __init__(
        self, demand: Sequence[float], capacity: float, target: float = 0.7, limits: Limits = HPA_DEFAULT
    ) -> None:
        """`target` is the share of a pod's capacity that is to be used."""
        self._demand, self._per_pod, self._limits = demand, target * capacity, limits
        self._recommended: pace.Dated = ()
        self._changes: pace.Dated = ()

    def __call__(self, tick: int, total: int, _ready: int) -> int:
        now, limits = tick * TICK_SECONDS, self._limits
        needed = self._demand[tick - 1] / self._per_pod
        within_tolerance = abs(needed / total - 1) <= HPA_TOLERANCE
        wanted = total if within_tolerance else max(1, math.ceil(needed - 1e-9))
        self._recommended = pace.remember(self._recommended, wanted, now, limits.stabilization_seconds)
        count = wanted
        if wanted < total:
            held = min(total, self._recommended[0][1])
            count = max(held, pace.fewest(total, self._changes, limits.down, now))
        elif limits.up is not None:
            count = min(wanted, pace.most(total, self._changes, limits.up, now))
        periods = (limits.down.period_seconds, 0.0 if limits.up is None else limits.up.period_seconds)
        self._changes = pace.within(self._changes, now, max(periods))
        if count != total:
            self._changes = (*self._changes, (now, count - total))
        return count


class KPA:
    """Knative's autoscaler: a stable window of 60 s and a panic window of 6 s, here the last tick."""

    STABLE_TICKS = 4
    PANIC_THRESHOLD = 2.0
    MAX_SCALE_DOWN = 2.0
    MAX_SCALE_UP = 1000.0

    def __init__(self, demand: Sequence[float], capacity: float, target: float = 0.7) -> None:
        """`target` is the share of a pod's capacity that is to be used."""
        self._demand, self._per_pod = demand, target * capacity
        self._panics_until, self._greatest = -1, 0

    def __call__(self, tick: int, _total: int, ready: int) -> int:
        window = self._demand[max(0, tick - self.STABLE_TICKS) : tick]
        pods = max(1, ready)
        stable = self._bounded(sum(window) / len(window), pods)
        panic = self._bounded(self._demand[tick - 1], pods)
        if math.ceil(self._demand[tick - 1] / self._per_pod - 1e-9) / pods >= self.PANIC_THRESHOLD:
            self._panics_until = tick + self.STABLE_TICKS
        if tick >= self._panics_until:
            self._greatest = 0
            return stable
        self._greatest = max(self._greatest, stable, panic)
        return self._greatest

    def _bounded(self, load: float, pods: int) -> int:
        wanted = math.ceil(load / self._per_pod - 1e-9)
        return int(min(max(wanted, math.floor(pods / self.MAX_SCALE_DOWN)), math.ceil(pods * self.MAX_SCALE_UP)))


def fixed(count: int) -> Ask:
    """Always the same number."""
    return lambda _tick, _total, _ready: count


def oracle(demand: Sequence[float], capacity: float, start_seconds: float) -> Ask:
    """The fewest pods that never leave demand cold: those needed from now until what is asked for now would serve."""
    ahead = math.ceil(start_seconds / TICK_SECONDS) + 1
    needed = [pods_for(load, capacity) for load in demand]
    return lambda tick, _total, _ready: max(needed[tick : tick + ahead])
