"""One-tick spikes are kept from what is learned.

A reading counts at once, since it may be the start of a burst, but only provisionally: the next reading confirms it or
shows that it stood alone (Hampel's identifier on a window of three, upwards only).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Bools, Floats, Ints, Room

SPIKE_RATIO = 10.0
"""A spike is this many times the load before and after it, each with one request more."""

SPIKE_STEPS = 8.0
"""And it rises by this many times the typical change between two readings, so that bursty loads keep their bursts."""

TYPICAL_STEP_RATE = 0.02


@dataclass
class Spikes(Room):
    """The latest reading of each row, not confirmed yet. Loads as square roots."""

    before: Floats
    """The confirmed value before it."""
    value: Floats
    tick: Ints
    """When it was read; negative while there is none."""
    at_seconds: Floats
    gap_ticks: Floats
    """Ticks between it and the reading before; infinite for the first one."""
    typical_step: Floats

    @classmethod
    def cold(cls, rows: int) -> Self:
        """Rows without a reading."""
        return cls(
            before=np.zeros(rows),
            value=np.zeros(rows),
            tick=np.full(rows, -1, dtype=np.int64),
            at_seconds=np.zeros(rows),
            gap_ticks=np.full(rows, np.inf),
            typical_step=np.full(rows, 0.5),
        )

    def alone(self, root: Floats) -> Bools:
        """(rows,): the waiting reading is a spike, now that `root` follows it."""
        beside = self._beside(root)
        high = self.value**2 > SPIKE_RATIO * (beside**2 + 1)
        return high & (self.value - beside > SPIKE_STEPS * self.typical_step)

    def confirmed(self, root: Floats, alone: Bools) -> Floats:
        """(rows,): what the waiting reading is worth: itself, or its larger neighbour if it stood alone."""
        return np.where(alone, self._beside(root), self.value)

    def _beside(self, root: Floats) -> Floats:
        return np.maximum(self.before, root)

    def read(self, root: Floats, fresh: Bools, confirmed: Floats, tick: int, at_seconds: float) -> None:
        """Let the next reading wait, in the rows that have one (`fresh`)."""
        known = fresh & (self.tick >= 0)
        step = np.minimum(np.abs(confirmed - self.before), 10 * self.typical_step)
        settled = known & np.isfinite(self.gap_ticks)
        self.typical_step = np.where(
            settled, self.typical_step + TYPICAL_STEP_RATE * (step - self.typical_step), self.typical_step
        )
        self.gap_ticks = np.where(fresh, np.where(self.tick >= 0, tick - self.tick, np.inf), self.gap_ticks)
        self.before = np.where(known, confirmed, np.where(fresh, root, self.before))
        self.value = np.where(fresh, root, self.value)
        self.tick = np.where(fresh, tick, self.tick)
        self.at_seconds = np.where(fresh, at_seconds, self.at_seconds)
