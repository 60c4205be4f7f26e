"""One tick of all rows: judge what was forecast, learn, forecast anew. Loads as square roots throughout."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Ints, Room
from prewarm_operator.forecast.features import ABOVE_LEVEL, COLUMNS, LOAD, Levels, above_hour, base, features
from prewarm_operator.forecast.learner import Learner
from prewarm_operator.forecast.quality import Quality
from prewarm_operator.forecast.recent import RecentMaximum
from prewarm_operator.forecast.residuals import CONDITIONS, Residuals
from prewarm_operator.forecast.ring import Ring
from prewarm_operator.forecast.season import Season
from prewarm_operator.forecast.spikes import Spikes

CEILING = 1.6
"""Times the largest load of the last two hours: no forecast is above."""

CEILING_SECONDS = 7_200.0

SPARSE_LOAD = 1.0
"""Mean load of an hour below which the largest load of the last ten minutes is the better bound."""

RECENT_SECONDS = 600.0

RING_STEP = 16
RING_SPARE = 4
"""Ticks beyond the longest horizon: how long a reading may wait for the next one and still be judged."""

POINT, OWN, NINETY_FIVE, TOLD, FIRST_CONDITION = range(5)
"""What is kept of a forecast until its time comes: point, both bounds, the bound at 0.95 that was told, conditions."""


@dataclass
class Batch:
    """All state, by room. A tick is a step of `tick_seconds`; ticks are counted from the epoch."""

    tick_seconds: float
    spikes: Spikes
    levels: Levels
    season: Season
    recent: RecentMaximum
    ceiling: RecentMaximum
    learner: Learner
    residuals: Residuals
    quality: Quality
    origins: Ring
    """What the forecasts made at a tick rested on."""
    due: Ring
    """What was forecast for a tick, whenever that was: horizons may change."""
    tick: int = 0

    @classmethod
    def cold(cls, rows: int, horizons: int, tick_seconds: float, ring_ticks: int = RING_STEP) -> Self:
        """Rows of which nothing is known."""
        return cls(
            tick_seconds=tick_seconds,
            spikes=Spikes.cold(rows),
            levels=Levels.cold(rows, tick_seconds),
            season=Season.cold(rows, tick_seconds),
            recent=RecentMaximum.cold(rows, RECENT_SECONDS, 10, tick_seconds),
            ceiling=RecentMaximum.cold(rows, CEILING_SECONDS, 24, tick_seconds),
            learner=Learner.cold(rows, horizons, tick_seconds),
            residuals=Residuals.cold(rows, horizons, tick_seconds),
            quality=Quality.cold(rows, tick_seconds),
            origins=Ring.cold(rows, ring_ticks, (COLUMNS,)),
            due=Ring.cold(rows, ring_ticks, (horizons, FIRST_CONDITION + CONDITIONS)),
        )

    def rooms(self) -> dict[str, Room]:
        """The parts by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Room)}

    def take(self, kept: Ints, added: int) -> None:
        """Keep these rows, in this order, and append cold ones."""
        horizons = self.learner.weights.shape[1]
        cold = self.cold(added, horizons, self.tick_seconds, self.due.ticks).rooms()
        for name, room in self.rooms().items():
            room.take(kept, cold[name])

    def move_to(self, tick: int) -> None:
        """Go on to a later tick. What was passed over was not read."""
        for passed in range(max(self.tick + 1, tick - self.origins.ticks + 1), tick):
            self.origins.clear(passed)
        kept = tick - RING_SPARE + 1
        for judged in range(max(self.tick - RING_SPARE + 1, kept - self.due.ticks), kept):
            self.due.clear(judged)
        for window in (self.recent, self.ceiling, self.quality):
            window.move_to(tick)
        self.tick = tick

    def reach(self, horizon: int) -> None:
        """Make the rings long enough for a horizon, in ticks."""
        needed = -(-(horizon + RING_SPARE) // RING_STEP) * RING_STEP
        if needed > self.due.ticks:
            old = self.due.ticks
            self.origins = self.origins.longer(needed, self.tick - np.arange(old))
            self.due = self.due.longer(needed, self.tick - RING_SPARE + 1 + np.arange(old))

    def learn(self, root: Floats, fresh: Bools, at_seconds: float, horizons: Ints, quantiles: Floats) -> None:
        """Take this tick's readings (rows,), in the rows that have one (`fresh`).

        `quantiles`: (rows, 2), that of the row and NOMINAL.
        """
        spikes = self.spikes
        waited = fresh & (spikes.tick >= 0)
        alone, confirmed = spikes.settle(root, waited)
        if np.count_nonzero(alone):  # what was forecast from a spike teaches nothing
            self.levels.read(confirmed, spikes.season, spikes.gap_ticks)
            self.origins.forget(spikes.tick, alone)
            self.due.forget_heads(spikes.tick[:, None] + horizons, alone)
        self._judge(waited, alone, quantiles)
        origin = spikes.tick[:, None] - horizons
        inputs = self.origins.heads(origin)
        known = waited[:, None] & np.isfinite(inputs[..., 0]) & (origin > self.tick - self.origins.ticks)
        self.learner.learn(features(inputs, spikes.season[:, None]), confirmed, known)
        self.levels.confirm(waited)
        self.season.learn(confirmed, spikes.at_seconds, waited)
        self.recent.add(confirmed, waited)
        self.ceiling.add(confirmed, waited)
        spikes.read(root, fresh, waited, confirmed, self.tick, at_seconds)

    def _judge(self, waited: Bools, alone: Bools, quantiles: Floats) -> None:
        """Hold the readings that waited against what had been forecast for them."""
        spikes = self.spikes
        due = self.due.rows(spikes.tick)
        recent = waited & (spikes.tick > self.tick - RING_SPARE)
        known = recent[:, None] & np.isfinite(due[..., POINT])
        seen = spikes.value.astype(np.float32)  # as the ring keeps it: what equals its bound is under it
        bounds, conditions = due[..., OWN : NINETY_FIVE + 1], due[..., FIRST_CONDITION:]
        self.residuals.learn(seen, due[..., POINT], bounds, conditions, quantiles, known, alone)
        self.quality.add(seen**2, due[:, 0, TOLD] ** 2, known[:, 0])

    def forecast(self, fresh: Bools, at_seconds: float, horizons: Ints, quantiles: Floats) -> tuple[Array, Bools]:
        """(rows, horizons, 3): point, upper bounds at `quantiles` (rows, 2). And (rows,): which are sparse."""
        spikes = self.spikes
        times = np.empty((len(horizons), 1 + horizons.shape[1]))
        times[:, 0] = spikes.at_seconds
        times[:, 1:] = at_seconds + horizons * self.tick_seconds
        expected = self.season.at(times)
        spikes.season, then = expected[:, 0].copy(), expected[:, 1:]
        self.levels.read(spikes.value, spikes.season, spikes.gap_ticks)
        means = self.levels.latest
        recent = self.recent.over(spikes.value)
        now = base(spikes.value, means, spikes.season, recent)
        self.origins.set(self.tick, np.where(fresh[:, None], now, np.nan))
        ceiling = np.sqrt(CEILING) * self.ceiling.over(spikes.value)[:, None]
        made = np.empty((*horizons.shape, FIRST_CONDITION + CONDITIONS))
        point = np.minimum(np.maximum(self.learner.predict(features(now[:, None, :], then)), 0), ceiling)
        conditions = self.residuals.conditions(now[:, ABOVE_LEVEL], above_hour(now))
        bounds = point[..., None] + self.residuals.margins(conditions, quantiles)
        bounds = np.minimum(np.maximum(bounds, 0), ceiling[..., None])
        sparse = means[:, LOAD] < SPARSE_LOAD
        told = np.where(sparse[:, None, None], recent[:, None, None], bounds)
        made[..., POINT], made[..., OWN : NINETY_FIVE + 1], made[..., TOLD] = point, bounds, told[..., 1]
        made[..., FIRST_CONDITION:] = conditions
        self.due.set_heads(self.tick + horizons, made)
        return np.concatenate([np.minimum(point, told[..., 0])[..., None], told], axis=-1), sparse
