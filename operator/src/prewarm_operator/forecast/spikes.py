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
    season: Floats
    """What the profile of the day has for that time."""
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
            season=np.full(rows, np.nan),
            gap_ticks=np.full(rows, np.inf),
            typical_step=np.full(rows, 0.5),
        )

    def settle(self, root: Floats, waited: Bools) -> tuple[Bools, Floats]:
        """(rows,) each, now that `root` follows in the rows that `waited`: whether the waiting reading is a spike, and

        what it is worth: itself, or its larger neighbour if it stood alone.
        """
        beside = np.maximum(self.before, root)
        high = self.value**2 > SPIKE_RATIO * (beside**2 + 1)
        alone = waited & high & (self.value - beside > SPIKE_STEPS * self.typical_step)
        return alone, np.where(alone, beside, self.value)

    def read(self, root: Floats, fresh: Bools, waited: Bools, confirmed: Floats, tick: int, at_seconds: float) -> None:
        """Let the next reading wait, in the rows that have one (`fresh`); what `waited` there is `confirmed`."""
        step = np.minimum(np.abs(confirmed - self.before), 10 * self.typical_step)
        change = TYPICAL_STEP_RATE * (step - self.typical_step)
        self.typical_step += np.where(waited & np.isfinite(self.gap_ticks), change, 0)
        np.copyto(self.gap_ticks, tick - self.tick, where=waited)
        np.copyto(self.before, root, where=fresh)
        np.copyto(self.before, confirmed, where=waited)
        np.copyto(self.value, root, where=fresh)
        np.copyto(self.tick, tick, where=fresh)
        np.copyto(self.at_seconds, at_seconds, where=fresh)
