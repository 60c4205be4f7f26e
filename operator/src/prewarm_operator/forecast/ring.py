"""Values by tick, for as many ticks as the longest horizon needs."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Ints, Room, Singles


@dataclass
class Ring(Room):
    """(rows, ticks, values), NaN where nothing was stored. Single precision: it is the largest part of the state."""

    values: Singles

    @classmethod
    def cold(cls, rows: int, ticks: int, shape: tuple[int, ...]) -> Self:
        """An empty ring."""
        return cls(np.full((rows, ticks, *shape), np.nan, dtype=np.float32))

    @property
    def ticks(self) -> int:
        """How many ticks it holds."""
        return int(self.values.shape[1])

    def clear(self, tick: int) -> None:
        """Forget what was stored for a tick."""
        self.values[:, tick % self.ticks] = np.nan

    def forget(self, ticks: Ints, rows: Bools) -> None:
        """Forget what these rows have for one tick each, of `ticks` (rows,)."""
        self.values[rows, ticks[rows] % self.ticks] = np.nan

    def forget_heads(self, ticks: Ints, rows: Bools) -> None:
        """Forget what these rows have for one tick per horizon, of `ticks` (rows, horizons)."""
        self.values[np.flatnonzero(rows)[:, None], ticks[rows] % self.ticks, np.arange(ticks.shape[1])] = np.nan

    def longer(self, ticks: int, kept: Ints) -> Self:
        """A ring of `ticks`, with what this one has for the ticks `kept`."""
        ring = self.cold(len(self.values), ticks, self.values.shape[2:])
        ring.values[:, kept % ticks] = self.values[:, kept % self.ticks]
        return ring

    def set(self, tick: int, values: Array) -> None:
        """Store (rows, values) for one tick."""
        self.values[:, tick % self.ticks] = values

    def rows(self, ticks: Ints) -> Singles:
        """(rows, values) for one tick each, of `ticks` (rows,)."""
        return self.heads(ticks[:, None])[:, 0]

    def heads(self, ticks: Ints) -> Singles:
        """(rows, horizons, values) for ticks (rows, horizons)."""
        rows, held, *shape = self.values.shape
        # A view, one index and `take`: several index arrays cost a few rows ten times as much.
        place = np.arange(0, rows * held, held)[:, None] + ticks % held
        found: Singles = self.values.reshape(rows * held, *shape).take(place, axis=0)
        return found

    def set_heads(self, ticks: Ints, values: Array) -> None:
        """Store (rows, horizons, values) for ticks (rows, horizons), in a ring whose values have the horizon first."""
        rows, heads = np.arange(len(ticks))[:, None], np.arange(ticks.shape[1])
        self.values[rows, ticks % self.ticks, heads] = values
