"""The largest load of the last minutes."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Bools, Floats, Room


@dataclass
class RecentMaximum(Room):
    """Maximum over a sliding window, to the precision of one bucket. Loads as square roots."""

    bucket_ticks: int
    buckets: Floats
    newest: int = 0

    @classmethod
    def cold(cls, rows: int, window_seconds: float, count: int, tick_seconds: float) -> Self:
        """A window of `count` buckets, or of one per tick if ticks are longer."""
        ticks = max(1, round(window_seconds / tick_seconds))
        bucket_ticks = max(1, ticks // count)
        return cls(bucket_ticks, np.full((rows, -(-ticks // bucket_ticks)), -np.inf))

    def move_to(self, tick: int) -> None:
        """Forget what has left the window."""
        bucket = tick // self.bucket_ticks
        count = self.buckets.shape[1]
        for passed in range(max(self.newest, bucket - count) + 1, bucket + 1):
            self.buckets[:, passed % count] = -np.inf
        self.newest = bucket

    def add(self, root: Floats, fresh: Bools) -> None:
        """Take one reading per row that is `fresh`."""
        newest = self.buckets[:, self.newest % self.buckets.shape[1]]
        np.maximum(newest, root, out=newest, where=fresh)

    def over(self, root: Floats) -> Floats:
        """The maximum of the window and of `root`, per row."""
        largest: Floats = np.maximum(self.buckets.max(1), root)
        return largest
