"""What a deployment usually gets at this time of day, in slots of five minutes of the UTC day."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Ints, Room, Singles

SLOT_SECONDS = 300
SLOTS = 86_400 // SLOT_SECONDS
NEWEST_DAY_WEIGHT = 0.35
NEIGHBOURS = 2
"""Slots on either side over which the profile is smoothed."""


@dataclass
class Season(Room):
    """Mean load of each slot over the days so far, newer days weighing more. As square roots, NaN where unknown."""

    expected: float
    """Readings of a complete slot. Not a state."""
    mean: Singles
    smooth: Singles
    open_slot: Ints
    total: Floats
    """Sum and number of the readings in the open slot: those that came, not those that should have come."""
    count: Floats

    @classmethod
    def cold(cls, rows: int, tick_seconds: float) -> Self:
        """Rows without a history."""
        unknown = np.full((rows, SLOTS), np.nan, dtype=np.float32)
        return cls(
            expected=max(1.0, SLOT_SECONDS / tick_seconds),
            mean=unknown,
            smooth=unknown.copy(),
            open_slot=np.full(rows, -1, dtype=np.int64),
            total=np.zeros(rows),
            count=np.zeros(rows),
        )

    def learn(self, root: Floats, at_seconds: Floats, fresh: Bools) -> None:
        """Take one reading per row, read at `at_seconds` of Unix time; rows that are not `fresh` have none."""
        slot = (at_seconds // SLOT_SECONDS).astype(np.int64) % SLOTS
        ended = fresh & (slot != self.open_slot)
        if np.count_nonzero(ended):
            self._close(np.flatnonzero(ended & (self.count > 0)))
            self.total[ended] = 0
            self.count[ended] = 0
            self.open_slot[ended] = slot[ended]
        self.total += np.where(fresh, root, 0)
        self.count += fresh

    def _close(self, rows: Ints) -> None:
        slot = self.open_slot[rows]
        share = np.minimum(1, self.count[rows] / self.expected)
        today = self.total[rows] / self.count[rows]
        before = self.mean[rows, slot]
        # Half a slot or more makes a beginning; less of it only corrects what is known, and by as much.
        blended = before + NEWEST_DAY_WEIGHT * share * (today - before)
        first = np.where(share >= 0.5, today, np.nan)
        self.mean[rows, slot] = np.where(np.isnan(before), first, blended)
        self._smooth(rows, slot)

    def _smooth(self, rows: Ints, slot: Ints) -> None:
        """Smooth the slot whose neighbours are all of this day now: what lies ahead rests on earlier days alone."""
        reach = np.arange(-2 * NEIGHBOURS, 1)
        near = self.mean[rows[:, None], (slot[:, None] + reach) % SLOTS]
        known = np.isfinite(near)
        number = known.sum(1)
        total = np.where(known, near, 0).sum(1)
        self.smooth[rows, (slot - NEIGHBOURS) % SLOTS] = np.where(number > 0, total / np.maximum(number, 1), np.nan)

    def at(self, at_seconds: Array) -> Floats:
        """The profile at these times (rows, times), linear between the middles of two slots."""
        position = at_seconds / SLOT_SECONDS - 0.5
        left = np.floor(position)
        slot = left.astype(np.int64) % SLOTS
        row, smooth = np.arange(0, self.smooth.size, SLOTS)[:, None], self.smooth.reshape(-1)
        first, second = smooth.take(row + slot), smooth.take(row + (slot + 1) % SLOTS)
        first, second = np.where(np.isnan(first), second, first), np.where(np.isnan(second), first, second)
        return (first + (position - left) * (second - first)).astype(np.float64)
