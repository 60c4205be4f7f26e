"""When each request is due and which client sends it: seeded Poisson processes, the same for both sides."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request, `due_seconds` after the load began, sent by client number `client`."""

    due_seconds: float
    client: int


def poisson(*, seed: int, rate_per_second: float, count: int, clients: int) -> list[Arrival]:
    """`count` arrivals in order of time. Equal arguments give equal arrivals."""
    rng = random.Random(seed)
    due_seconds = 0.0
    arrivals = []
    for _ in range(count):
        due_seconds += rng.expovariate(rate_per_second)
        arrivals.append(Arrival(due_seconds, rng.randrange(clients)))
    return arrivals


def ramp(*, seed: int, rates_per_second: Sequence[float], step_seconds: float, clients: int) -> list[Arrival]:
    """Arrivals at a rate that is given every `step_seconds` and changes evenly in between, until the last of them.

    A process at the highest rate of which each arrival is kept with the share that its time has of that rate (thinning;
    Lewis and Shedler 1979).
    """
    rng = random.Random(seed)
    highest, end_seconds = max(rates_per_second), (len(rates_per_second) - 1) * step_seconds
    due_seconds = 0.0
    arrivals = []
    while (due_seconds := due_seconds + rng.expovariate(highest)) < end_seconds:
        step, part = divmod(due_seconds / step_seconds, 1)
        before, after = rates_per_second[int(step) : int(step) + 2]
        if rng.random() * highest < before + part * (after - before):
            arrivals.append(Arrival(due_seconds, rng.randrange(clients)))
    return arrivals
