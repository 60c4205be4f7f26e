"""What the learner looks at: levels of the load over several times, its place in the day, its recent maximum."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Room

HALF_LIVES_SECONDS = np.array([30.0, 120.0, 600.0, 3600.0])
SEASON_HALF_LIFE_SECONDS = 600.0

COLUMNS = 8
"""Of `base`: what a forecast made at one tick rests on, whatever its horizon."""

ABOVE_LEVEL = 6
"""Column of `base`: the recent maximum less the level."""

COUNT = 9
"""Of `features`: constant, level, and seven differences that are zero when nothing changes."""

LEVEL = 1
INCREMENT = 6


@dataclass
class Levels(Room):
    """Exponentially weighted means over confirmed readings. Loads as square roots."""

    tick_seconds: float
    level: Floats
    """(rows, 4), by half-life."""
    season: Floats
    """(rows,): the seasonal profile under the same kind of mean, to compare the load with."""
    hour_load: Floats
    """(rows,): mean over the hour of the load itself, not of its root."""

    @classmethod
    def cold(cls, rows: int, tick_seconds: float) -> Self:
        """Rows without a reading: the first one, after an infinite gap, becomes their level."""
        return cls(tick_seconds, np.zeros((rows, len(HALF_LIVES_SECONDS))), np.zeros(rows), np.zeros(rows))

    def after(self, root: Floats, season: Floats, gap_ticks: Floats) -> tuple[Floats, Floats, Floats]:
        """`level`, `season`, `hour_load` with one reading more, `gap_ticks` after the last.

        A gap fades what was and brings nothing in.
        """
        gap_seconds = gap_ticks * self.tick_seconds
        fade = 0.5 ** (gap_seconds[:, None] / HALF_LIVES_SECONDS)
        level = root[:, None] + (self.level - root[:, None]) * fade
        usual = np.where(np.isfinite(season), season, root)
        usual += (self.season - usual) * 0.5 ** (gap_seconds / SEASON_HALF_LIFE_SECONDS)
        return level, usual, root**2 + (self.hour_load - root**2) * fade[:, -1]

    def confirm(self, root: Floats, season: Floats, gap_ticks: Floats, fresh: Bools) -> None:
        """Take one reading per row that is `fresh`."""
        level, usual, hour_load = self.after(root, season, gap_ticks)
        self.level = np.where(fresh[:, None], level, self.level)
        self.season = np.where(fresh, usual, self.season)
        self.hour_load = np.where(fresh, hour_load, self.hour_load)


def base(root: Floats, level: Floats, usual: Floats, season: Floats, maximum: Floats) -> Floats:
    """(rows, COLUMNS): all that a forecast made now rests on. `usual` is the profile's mean, `season` its value now."""
    e30, e120, e600, e3600 = level.T
    known = np.isfinite(season)
    return np.stack(
        [
            e120,
            root - e120,
            e30 - e120,
            e120 - e600,
            e600 - e3600,
            np.where(known, e600 - usual, 0),
            maximum - e120,
            np.where(known, usual, np.nan),
        ],
        axis=1,
    )


def above_hour(base: Floats) -> Floats:
    """(rows,): the level of the last two minutes less that of the hour, from what `base` returned."""
    return base[:, 3] + base[:, 4]


def features(base: Array, season_then: Floats) -> Floats:
    """(rows, horizons, COUNT) from base (rows, 1 or horizons, COLUMNS) and the profile at the time forecast for."""
    result = np.empty((*season_then.shape, COUNT))
    result[..., 0] = 1
    result[..., 1:6] = base[..., 0:5]
    increment = season_then - base[..., 7]
    known = np.isfinite(increment)
    result[..., INCREMENT] = np.where(known, increment, 0)
    result[..., 7] = np.where(known, base[..., 5], 0)
    result[..., 8] = base[..., 6]
    return result
