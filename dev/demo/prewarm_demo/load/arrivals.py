"""When each request is due and which client sends it: a seeded Poisson process, the same for both sides."""

from __future__ import annotations

import random
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
