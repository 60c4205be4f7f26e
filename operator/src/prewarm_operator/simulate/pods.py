"""Pods over time under a policy: asked for at a tick, serving a start time later, paid for from the first."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.terms import pods_for

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
    """Follow a policy over a whole demand; the arguments are those of Run."""
    whole = Run(demand, capacity, start_seconds, ask, first=first, minimum=minimum)
    whole.go_on(len(demand))
    return whole.outcome()


class Run:
    """A policy that is followed over a demand, part by part."""

    def __init__(
        self,
        demand: Sequence[float],
        capacity: float,
        start_seconds: float,
        ask: Ask,
        *,
        first: int = 0,
        minimum: int = 1,
    ) -> None:
        """Begin before the first tick.

        Args:
            demand: requests at once in each tick.
            capacity: requests that one pod takes at once.
            start_seconds: from the decision until a pod serves, rounded up to whole ticks.
            ask: the policy. It is asked from the second tick on; the demand of the first one is served.
            first: the tick from which on the outcome counts.
            minimum: pods that there always are.
        """
        self._demand, self._capacity, self._ask, self._first, self._minimum = demand, capacity, ask, first, minimum
        self._pods = _Pods(max(minimum, pods_for(demand[0], capacity)), math.ceil(start_seconds / TICK_SECONDS))
        self._ready: list[int] = []
        self._total: list[int] = []
        self._started: list[int] = []

    def go_on(self, end: int) -> None:
        """Follow it until the begin of tick `end`."""
        pods, ask, minimum = self._pods, self._ask, self._minimum
        for tick in range(len(self._ready), end):
            pods.next_tick()
            self._started.append(pods.scale(max(minimum, ask(tick, pods.total, pods.ready))) if tick else 0)
            self._ready.append(pods.ready)
            self._total.append(pods.total)

    def outcome(self) -> Outcome:
        """What came of it, at the end of the demand."""
        first = self._first
        counted = self._demand[first:]
        missing = [load - ready * self._capacity for load, ready in zip(counted, self._ready[first:], strict=True)]
        cold = [load for load in missing if load > 0]
        asked = sum(counted)
        return Outcome(
            ready=tuple(self._ready),
            total=tuple(self._total),
            cold_share=sum(cold) / asked if asked else 0.0,
            cold_time_share=len(cold) / max(1, len(counted)),
            pod_hours=sum(self._total[first:]) * TICK_SECONDS / 3600,
            starts=sum(self._started[first:]),
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
