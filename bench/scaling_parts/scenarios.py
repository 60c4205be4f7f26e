"""Loads to scale for: those of a folder of recorded traces, or small generated ones."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prewarm_operator.simulate.demand import Floats, concurrent, thinned, to_ticks

SERVICE_SECONDS = 30.0
CAPACITY = 4.0
TOKENS_PER_SECOND = 15.0
"""Of one request: so many tokens per second are one request at once."""
TOKENS_CAPACITY = 1.0
LEARNING_SHARE = 3 / 7
"""Of a trace, before anything counts: three days of a week."""


@dataclass(frozen=True)
class Scenario:
    """Requests at once in each tick, and how many of them one pod takes."""

    name: str
    demand: Floats
    capacity: float
    bursty: bool
    days_long: bool

    @property
    def first(self) -> int:
        """The tick from which on outcomes count."""
        return int(len(self.demand) * LEARNING_SHARE)


def recorded(folder: Path) -> Iterator[Scenario]:
    """The traces that traces.json names, each at its scales."""
    for file, about in json.loads((folder / "traces.json").read_text()).items():
        with (folder / file).open() as lines:
            values = np.array([float(row["requests"]) for row in csv.DictReader(lines)])
        name, bursty, days_long = Path(file).stem, about["class"] == "bursty", about["days_long"]
        if about["unit"] == "tokens per second":
            demand = to_ticks(values, about["bin_seconds"], rates=True) / TOKENS_PER_SECOND
            yield Scenario(name, demand, TOKENS_CAPACITY, bursty, days_long)
            continue
        arrivals = to_ticks(values, about["bin_seconds"], rates=False)
        for mean in about["mean_concurrent"]:
            demand = concurrent(thinned(arrivals, mean, SERVICE_SECONDS), SERVICE_SECONDS)
            yield Scenario(f"{name}_{mean}", demand, CAPACITY, bursty, days_long)


def generated() -> Iterator[Scenario]:
    """Two days with a daily wave, and six hours with bursts: they show that the benchmark runs, not how good we are."""
    draw = np.random.default_rng(7)
    day = np.sin(np.arange(2 * 5760) / 5760 * 2 * np.pi)
    for mean in (14, 112):
        arrivals = draw.poisson(mean / 2 * (1 + 0.5 * day)).astype(float)
        yield Scenario(f"generated_wave_{mean}", concurrent(arrivals, SERVICE_SECONDS), CAPACITY, False, True)
    bursts = np.where(draw.random(1440) < 0.02, 40, 5)
    arrivals = draw.poisson(np.convolve(bursts, np.ones(8) / 2)[:1440]).astype(float)
    yield Scenario("generated_bursts", concurrent(arrivals, SERVICE_SECONDS), CAPACITY, True, False)
