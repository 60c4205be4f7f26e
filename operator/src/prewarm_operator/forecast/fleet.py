"""Forecasts of the load of all deployments, in one batch per tick: the face of this package.

Loads are concurrent requests, forecast as square roots: there a Poisson variable has the same variance at every level.
"""

from collections.abc import Iterable, Mapping
from typing import Generic

import numpy as np
import numpy.typing as npt

from prewarm_operator.forecast import state
from prewarm_operator.forecast.arrays import Array, Bools, Floats, Ints
from prewarm_operator.forecast.batch import RING_SPARE, Batch
from prewarm_operator.forecast.forecasts import Forecasts, Key
from prewarm_operator.forecast.quality import NOMINAL

LARGEST_LOAD = 1e9
"""More concurrent requests than this are no reading."""

LONGEST_HORIZON_SECONDS = 3_600.0


class FleetForecast(Generic[Key]):
    """Rows by key; they come and go with `add` and `remove`, which take effect with the next `step`."""

    def __init__(self, tick_seconds: float = 15.0, horizons: int = 4, quantile: float = 0.99) -> None:
        """`quantile` of the load is what `upper` means, unless a step says otherwise."""
        self.tick_seconds, self.horizons, self.quantile = tick_seconds, horizons, quantile
        self._rows: dict[Key, int | None] = {}
        self._batch = Batch.cold(0, horizons, tick_seconds)
        self._at_seconds: float | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The rows in their order."""
        return tuple(self._rows)

    def add(self, key: Key) -> None:
        """Forecast this deployment too, from nothing. One that is there stays as it is."""
        self._rows.setdefault(key, None)

    def remove(self, key: Key) -> None:
        """Forget this deployment and all that was learned of it."""
        self._rows.pop(key, None)

    def step(
        self,
        at_seconds: float,
        load: Mapping[Key, float] | npt.ArrayLike,
        horizons_ticks: npt.ArrayLike,
        quantile: npt.ArrayLike | None = None,
    ) -> Forecasts[Key]:
        """Learn one tick's loads and forecast. Call it once per tick, with Unix time.

        `load` is by key or in the order of `keys`. What is missing, not finite, negative or absurd is not known: the
        row holds and learns nothing. `horizons_ticks`: (rows, horizons) or (horizons,), from one tick to an hour.
        `quantile`: one, or one per row.
        """
        self._settle()
        root, fresh = self._readings(load)
        ticks = self._horizons(horizons_ticks)
        quantiles = self._quantiles(quantile)
        batch = self._batch
        batch.move_to(batch.tick + self._elapsed(at_seconds))
        batch.reach(int(ticks.max(initial=1)))
        batch.learn(root, fresh, at_seconds, ticks, quantiles)
        bounds, sparse = batch.forecast(fresh, at_seconds, ticks, quantiles)
        return self._told(bounds**2, sparse)

    def beside(self, first_seconds: float) -> "FleetForecast[Key]":
        """An empty fleet for loads from `first_seconds` of Unix time on, of which `adopt` can take rows."""
        other: FleetForecast[Key] = FleetForecast(self.tick_seconds, self.horizons, self.quantile)
        since = 0.0 if self._at_seconds is None else self._at_seconds
        tick = self._batch.tick + round((first_seconds - since) / self.tick_seconds)
        other._at_seconds, other._batch.tick = first_seconds - self.tick_seconds, tick - 1
        return other

    def adopt(self, other: "FleetForecast[Key]", keys: Iterable[Key]) -> None:
        """What `other` has learned of these deployments takes the place of what is known of them here.

        `other` comes from `beside` or `restore`. Rows that one of the two fleets does not have are left out.
        """
        self._settle()
        other._settle()
        shared = [(self._rows[key], other._rows[key]) for key in keys if key in self._rows and key in other._rows]
        ours, theirs = self._batch, other._batch
        if other._at_seconds is not None and (self._at_seconds is None or theirs.tick > ours.tick):
            self._at_seconds = other._at_seconds
        tick = max(ours.tick, theirs.tick)
        for batch in (ours, theirs):
            batch.move_to(tick)
            batch.reach(max(ours.due.ticks, theirs.due.ticks) - RING_SPARE)
        into, source = np.array(shared, dtype=np.int64).reshape(-1, 2).T
        rooms = theirs.rooms()
        for name, room in ours.rooms().items():
            room.put(into, rooms[name].arrays(), source)

    def save(self, keys: Iterable[Key] | None = None) -> bytes:
        """All that was learned, of these deployments or of all, to be restored by `restore`.

        The size is bounded for each deployment.
        """
        self._settle()
        saved = [key for key in (self._rows if keys is None else keys) if key in self._rows]
        rows = np.array([self._rows[key] for key in saved], dtype=np.int64)
        return state.pack(self._batch, saved, rows, self._at_seconds)

    def restore(self, saved: bytes) -> tuple[Key, ...]:
        """Take up, before the first step, what was saved of the deployments that are there; gives those restored.

        Raises StateRefused, which says why: then all start from nothing, as does a deployment whose part is damaged.
        """
        if self._at_seconds is not None:
            raise RuntimeError("restore a forecast before its first step")
        self._settle()
        restored, self._at_seconds = state.unpack(saved, self._batch, self.keys)
        return tuple(key for key in self.keys if key in restored)

    def _settle(self) -> None:
        """Let rows come and go."""
        kept = [row for row in self._rows.values() if row is not None]
        added = len(self._rows) - len(kept)
        if added or len(kept) != len(self._batch.spikes.tick):
            self._batch.take(np.array(kept, dtype=np.int64), added)
            self._rows = {key: row for row, key in enumerate(self._rows)}

    def _readings(self, load: Mapping[Key, float] | npt.ArrayLike) -> tuple[Floats, Bools]:
        if isinstance(load, Mapping):
            values = np.array([load.get(key, np.nan) for key in self._rows], dtype=np.float64)
        else:
            values = np.asarray(load, dtype=np.float64)
        if values.shape != (len(self._rows),):
            raise ValueError(
                f"load has shape {values.shape} for {len(self._rows)} deployments: give one value for each key"
            )
        fresh = (values >= 0) & (values <= LARGEST_LOAD)  # false for NaN
        return np.sqrt(np.where(fresh, values, 0)), fresh

    def _horizons(self, horizons_ticks: npt.ArrayLike) -> Ints:
        ticks, shape = np.asarray(horizons_ticks, dtype=np.int64), (len(self._rows), self.horizons)
        if ticks.shape not in (shape, shape[1:]):
            raise ValueError(f"horizons_ticks has shape {ticks.shape}: give {shape}, or {shape[1:]} for all alike")
        longest = max(1, int(LONGEST_HORIZON_SECONDS / self.tick_seconds))
        return np.broadcast_to(np.minimum(np.maximum(ticks, 1), longest), shape)

    def _quantiles(self, quantile: npt.ArrayLike | None) -> Floats:
        """(rows, 2): the row's own and NOMINAL."""
        quantiles = np.full((len(self._rows), 2), NOMINAL)
        quantiles[:, 0] = self.quantile if quantile is None else quantile
        if not ((quantiles > 0) & (quantiles < 1)).all():
            raise ValueError(
                "quantile must be between 0 and 1: the share of time in which the load stays under the bound"
            )
        return quantiles

    def _elapsed(self, at_seconds: float) -> int:
        """Ticks since the last step, at first since the epoch: so fleets that know nothing of each other count alike.

        A clock that was put back tells nothing but that there was one.
        """
        before, self._at_seconds = self._at_seconds, at_seconds
        return max(1, round((at_seconds - (before or 0.0)) / self.tick_seconds))

    def _told(self, bounds: Array, sparse: Bools) -> Forecasts[Key]:
        batch = self._batch
        valid = batch.spikes.tick >= 0
        told = np.where(valid[:, None, None], bounds, 0)
        judged, coverage, pinball, poor = batch.quality.told()
        return Forecasts(
            keys=self.keys,
            point=told[..., 0],
            upper=told[..., 1],
            upper95=told[..., 2],
            valid=valid,
            sparse=sparse & valid,
            poor=poor,
            coverage=coverage,
            pinball=pinball,
            judged=judged,
        )
