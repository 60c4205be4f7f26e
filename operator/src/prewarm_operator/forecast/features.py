"""What the learner looks at: levels of the load over several times, its place in the day, its recent maximum."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Room

LEVELS = 4
PROFILE, LOAD = LEVELS, LEVELS + 1
HALF_LIVES_SECONDS = np.array([30.0, 120.0, 600.0, 3600.0, 600.0, 3600.0])
"""Of the means: four levels of the root of the load, then the profile of the day, then the load itself."""

COLUMNS = 8
"""Of `base`: what a forecast made at one tick rests on, whatever its horizon."""

ABOVE_LEVEL = 6
"""Column of `base`: the recent maximum less the level."""

USUAL = 7
"""Column of `base`: mean of the profile, NaN while the profile says nothing."""

COUNT = 9
"""Of `features`: constant, level, and seven differences that are zero when nothing changes."""

LEVEL = 1
INCREMENT = 6


@dataclass
class Levels(Room):
    """Exponentially weighted means over readings. Loads as square roots, but for the column LOAD."""

    tick_seconds: float
    confirmed: Floats
    """(rows, means): without the reading that waits for the next one."""
    latest: Floats
    """(rows, means): with it."""

    @classmethod
    def cold(cls, rows: int, tick_seconds: float) -> Self:
        """Rows without a reading: the first one, after an infinite gap, becomes their level."""
        empty = np.zeros((rows, len(HALF_LIVES_SECONDS)))
        return cls(tick_seconds, empty, empty.copy())

    def read(self, root: Floats, season: Floats, gap_ticks: Floats) -> None:
        """Readings (rows,), `gap_ticks` after the confirmed ones, and the profile at their times.

        A gap fades what was and brings nothing in.
        """
        came = np.empty(self.confirmed.shape)
        came[:, :LEVELS] = root[:, None]
        came[:, PROFILE] = np.where(np.isfinite(season), season, root)
        came[:, LOAD] = root**2
        fade = 0.5 ** ((gap_ticks * self.tick_seconds)[:, None] / HALF_LIVES_SECONDS)
        self.latest = came + (self.confirmed - came) * fade

    def confirm(self, rows: Bools) -> None:
        """The latest reading of these rows is not in question any more."""
        np.copyto(self.confirmed, self.latest, where=rows[:, None])


def base(root: Floats, means: Floats, season: Floats, maximum: Floats) -> Floats:
    """(rows, COLUMNS): all that a forecast made now rests on. `means` are those of Levels, `season` is the profile."""
    e30, e120, e600, e3600, usual, _ = means.T
    known = np.isfinite(season)
    result = np.empty((len(root), COLUMNS))
    result[:, 0] = e120
    result[:, 1] = root - e120
    result[:, 2] = e30 - e120
    result[:, 3] = e120 - e600
    result[:, 4] = e600 - e3600
    result[:, 5] = np.where(known, e600 - usual, 0)
    result[:, ABOVE_LEVEL] = maximum - e120
    result[:, USUAL] = np.where(known, usual, np.nan)
    return result


def above_hour(base: Floats) -> Floats:
    """(rows,): the level of the last two minutes less that of the hour, from what `base` returned."""
    return base[:, 3] + base[:, 4]


def features(base: Array, season_then: Floats) -> Floats:
    """(rows, horizons, COUNT) from base (rows, 1 or horizons, COLUMNS) and the profile at the time forecast for.

    That time, too, may be one for all horizons: (rows, 1 or horizons).
    """
    increment = season_then - base[..., USUAL]
    known = np.isfinite(increment)
    result = np.empty((*increment.shape, COUNT))
    result[..., 0] = 1
    result[..., 1:6] = base[..., 0:5]
    result[..., INCREMENT] = np.where(known, increment, 0)
    result[..., 7] = np.where(known, base[..., 5], 0)
    result[..., 8] = base[..., 6]
    return result
