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
    sums: Floats
    """(rows, BUCKETS, 3): readings, those under their bound, and loss."""
    newest: int = 0

    @classmethod
    def cold(cls, rows: int, tick_seconds: float) -> Self:
        """Rows of which nothing is known."""
        return cls(max(1, round(BUCKET_SECONDS / tick_seconds)), np.zeros((rows, BUCKETS, 3)))

    def move_to(self, tick: int) -> None:
        """Forget what is older than an hour."""
        bucket = tick // self.bucket_ticks
        for passed in range(max(self.newest, bucket - BUCKETS) + 1, bucket + 1):
            self.sums[:, passed % BUCKETS] = 0
        self.newest = bucket

    def add(self, load: Array, upper: Array, known: Bools) -> None:
        """A load (rows,), and the upper bound (rows,) that had been forecast for it."""
        bucket = self.sums[:, self.newest % BUCKETS]
        bucket[:, 0] += known
        bucket[:, 1] += known & (load <= upper)
        bucket[:, 2] += np.where(known, pinball(load, upper, NOMINAL), 0)

    def told(self) -> tuple[Ints, Floats, Floats, Bools]:
        """(rows,) each, of the last hour: readings that had been forecast; share of them that stayed under their bound
        and mean loss in units of the load, NaN while there are no readings; whether the bound was exceeded so often
        that it is not to be relied on.
        """
        number, covered, loss = np.add.reduce(self.sums, axis=1).T
        poor = (number >= ENOUGH) & (covered < POOR_COVERAGE * number)
        known = np.where(number > 0, number, np.nan)
        return number.astype(np.int64), covered / known, loss / known, poor
