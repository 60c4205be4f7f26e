"""Pods over time under a policy: asked for at a tick, serving a start time later, paid for from the first."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm_operator.decide.scaling.terms import pods_for
from prewarm_operator.simulate.demand import TICK_SECONDS

Ask = Callable[[int, int, int], int]
"""A policy: `(tick, pods asked for, of these Ready) -> pods to have`, with the load of the ticks before known to it."""


@dataclass(frozen=True)
class Outcome:
    """What a policy did, from the tick on from which it counts.

    Attributes:
        ready: pods that served in each tick, from the first tick of the demand.
        total: pods that there were, with those that were starting.
        cold_share: share of the demand above what the Ready pods took.
        cold_time_share: share of the ticks with such demand.
        pod_hours: of all pods.
        starts: pods that were started.
    """

    ready: tuple[int, ...]
    total: tuple[int, ...]
    cold_share: float
    cold_time_share: float
    pod_hours: float
    starts: int


def run(
    demand: Sequence[float], capacity: float, start_seconds: float, ask: Ask, *, first: int = 0, minimum: int = 1
) -> Outcome:
    """Follow a policy over a demand.

    Args:
        demand: requests at once in each tick.
        capacity: requests that one pod takes at once.
        start_seconds: from the decision until a pod serves, rounded up to whole ticks.
        ask: the policy. It is asked from the second tick on; the demand of the first one is served.
        first: the tick from which on the outcome counts.
        minimum: pods that there always are.
    """
    wait_ticks = math.ceil(start_seconds / TICK_SECONDS)
    served = _Pods(max(minimum, pods_for(demand[0], capacity)), wait_ticks)
    ready, total = [], []
    cold = asked = 0.0
    starts = cold_ticks = 0
    for tick, load in enumerate(demand):
        served.next_tick()
        started = served.scale(max(minimum, ask(tick, served.total, served.ready))) if tick else 0
        ready.append(served.ready)
        total.append(served.total)
        if tick >= first:
            asked += load
            starts += started
            missing = load - served.ready * capacity
            if missing > 0:
                cold += missing
                cold_ticks += 1
    ticks = max(1, len(demand) - first)
    return Outcome(
        ready=tuple(ready),
        total=tuple(total),
        cold_share=cold / asked if asked else 0.0,
        cold_time_share=cold_ticks / ticks,
        pod_hours=sum(total[first:]) * TICK_SECONDS / 3600,
        starts=starts,
    )


class _Pods:
    def __init__(self, ready: int, wait_ticks: int) -> None:
        self.ready, self.total = ready, ready
        self._starting = deque([0] * wait_ticks)  # by the tick in which they become Ready

    def next_tick(self) -> None:
        if self._starting:
            self.ready += self._starting.popleft()
            self._starting.append(0)

    def scale(self, count: int) -> int:
        """Have that many pods; returns how many are started. Of too many the youngest go, as a ReplicaSet has it."""
        change = count - self.total
        self.total = count
        if change >= 0:
            if self._starting:
                self._starting[-1] += change
            else:
                self.ready += change
            return change
        excess = -change
        for place in range(len(self._starting) - 1, -1, -1):
            removed = min(excess, self._starting[place])
            self._starting[place] -= removed
            excess -= removed
            if not excess:
                return 0
        self.ready -= excess
        return 0
