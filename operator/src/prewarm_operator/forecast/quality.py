"""How good the forecasts of a deployment were in the last hour."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Ints, Room

NOMINAL = 0.95
"""Coverage and loss are told of this quantile, whatever quantile is used: figures that can be compared."""

BUCKETS = 12
BUCKET_SECONDS = 300.0

POOR_COVERAGE = 0.85
ENOUGH = 20
"""Readings below which nothing is said."""


def pinball(load: Array, forecast: Array, quantile: float) -> Array:
    """Koenker and Bassett's loss, in units of the load: least in the mean for the true quantile."""
    difference = load - forecast
    return np.maximum(quantile * difference, (quantile - 1) * difference)


@dataclass
class Quality(Room):
    """Sums over the last hour in steps of five minutes, for the first horizon: that of readiness."""

    bucket_ticks: int
    number: Floats
    covered: Floats
    loss: Floats
    newest: int = 0

    @classmethod
    def cold(cls, rows: int, tick_seconds: float) -> Self:
        """Rows of which nothing is known."""
        empty = np.zeros((rows, BUCKETS))
        return cls(max(1, round(BUCKET_SECONDS / tick_seconds)), empty, empty.copy(), empty.copy())

    def move_to(self, tick: int) -> None:
        """Forget what is older than an hour."""
        bucket = tick // self.bucket_ticks
        passed = (bucket - np.arange(min(bucket - self.newest, BUCKETS))) % BUCKETS
        for sums in (self.number, self.covered, self.loss):
            sums[:, passed] = 0
        self.newest = bucket

    def add(self, load: Array, upper: Array, known: Bools) -> None:
        """A load (rows,), and the upper bound (rows,) that had been forecast for it."""
        column = self.newest % BUCKETS
        self.number[:, column] += known
        self.covered[:, column] += known & (load <= upper)
        self.loss[:, column] += np.where(known, pinball(load, np.where(known, upper, 0), NOMINAL), 0)

    def judged(self) -> Ints:
        """(rows,): how many readings of the last hour had been forecast."""
        number: Ints = self.number.sum(1).astype(np.int64)
        return number

    def coverage(self) -> Floats:
        """(rows,): share of the readings that stayed under their bound; NaN while there are none."""
        return _mean(self.covered, self.number)

    def pinball(self) -> Floats:
        """(rows,): mean loss, in units of the load; NaN while there is none."""
        return _mean(self.loss, self.number)

    def poor(self) -> Bools:
        """(rows,): the bound was exceeded so often that it is not to be relied on."""
        number = self.number.sum(1)
        poor: Bools = (number >= ENOUGH) & (self.covered.sum(1) < POOR_COVERAGE * number)
        return poor


def _mean(sums: Floats, number: Floats) -> Floats:
    total = number.sum(1)
    return np.where(total > 0, sums.sum(1) / np.maximum(total, 1), np.nan)
