"""How far the forecasts were off, per head: a decayed histogram, and a correction that holds the coverage.

Conformal prediction with exponential weights (Barber et al., 2023, Conformal prediction beyond exchangeability). The
correction is the integrator of conformal PID control (Angelopoulos, Candès, Tibshirani, 2023), extended from a constant
to a few conditions: online quantile regression, whose subgradient is the miss less the share of misses allowed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Room, Singles
from prewarm_operator.forecast.quality import NOMINAL

MEMORY_SECONDS = 86_400.0
"""Half-life of a residual, and time constant of the usual spread."""

RECENT_SECONDS = 1_000.0
"""Time constant of the recent spread."""

PRIOR_SPREAD = 0.5
"""Standard deviation of the root of a Poisson variable: what a row is taken for until it has shown otherwise."""

PRIOR_RESIDUALS = 20.0

LARGEST_RESIDUAL = 10.0
"""In spreads. A larger one widens the spread no more than this."""

SMALLEST_SPREAD = 1e-3

CONDITIONS = 4
"""Of the correction: constant, recent spread over the usual, recent maximum over the level, level over the hour's."""

CONDITION_SCALE = np.array([1.0, 0.2, 0.2])
CONDITION_LIMIT = 3.0
RATES_PER_SECOND = np.array([1 / 2000, 1 / 5000, 1 / 5000, 1 / 5000])
CORRECTION_LOWEST = np.full(CONDITIONS, -1.0)
CORRECTION_HIGHEST = np.array([3.0, 1.0, 1.0, 1.0])
"""In spreads: a long series of misses or of none winds up no further."""

EDGES = np.sinh(np.linspace(-3.2, 4.3, 97))
"""Of the bins, in spreads: from -12 to 37, a twelfth wide in the middle."""

BINS = len(EDGES) - 1

_LAPLACE = np.exp(-np.abs((EDGES[1:] + EDGES[:-1]) / 2)) * np.diff(EDGES)
PRIOR = (PRIOR_RESIDUALS * _LAPLACE / _LAPLACE.sum()).astype(np.float32)
"""The mean absolute residual is one spread."""

GAIN_LIMIT = 1e6


@dataclass
class Residuals(Room):
    """Residuals of the square root of the load, by row and horizon."""

    tick_seconds: float
    usual_spread: Floats
    """Mean absolute residual; the unit of the histogram and of the correction."""
    recent_spread: Floats
    seen: Floats
    """How many residuals there were."""
    histogram: Singles
    """(rows, horizons, BINS). New residuals gain weight instead of old ones losing it: one addition, no products."""
    gain: Floats
    """Weight of the next residual."""
    correction: Floats
    """(rows, horizons, 2, CONDITIONS): weights of the conditions for the row's own quantile and for NOMINAL."""

    @classmethod
    def cold(cls, rows: int, horizons: int, tick_seconds: float) -> Self:
        """Rows of which nothing is known."""
        return cls(
            tick_seconds=tick_seconds,
            usual_spread=np.full((rows, horizons), PRIOR_SPREAD),
            recent_spread=np.full((rows, horizons), PRIOR_SPREAD),
            seen=np.zeros((rows, horizons)),
            histogram=np.tile(PRIOR, (rows, horizons, 1)),
            gain=np.ones((rows, horizons)),
            correction=np.zeros((rows, horizons, 2, CONDITIONS)),
        )

    def conditions(self, above_level: Floats, above_hour: Floats) -> Floats:
        """(rows, horizons, CONDITIONS), from (rows,): recent maximum less level, and level less that of the hour."""
        over_usual = [self.recent_spread - self.usual_spread, above_level[:, None], above_hour[:, None]]
        result = np.ones((*self.usual_spread.shape, CONDITIONS))
        for column, value in enumerate(over_usual):
            result[..., column + 1] = CONDITION_SCALE[column] * value / self.usual_spread
        return np.clip(result, -CONDITION_LIMIT, CONDITION_LIMIT)

    def margins(self, conditions: Floats, own: Floats) -> Floats:
        """(rows, horizons, 2): what to add to a point for the row's quantile `own` (rows,), and for NOMINAL."""
        cumulative = np.cumsum(self.histogram, axis=-1)
        spreads = [_quantile(cumulative, own[:, None]), _quantile(cumulative, np.full((len(own), 1), NOMINAL))]
        correction = np.einsum("nhqc,nhc->nhq", self.correction, conditions)
        result: Floats = (np.stack(spreads, axis=-1) + correction) * self.usual_spread[..., None]
        return result

    def learn(
        self, root: Array, point: Array, upper: Array, conditions: Array, own: Floats, known: Bools, spikes: Bools
    ) -> None:
        """What came (rows,), and what had been forecast for it: point and conditions, upper (rows, horizons, 2).

        `spikes` (rows,) are misses like others, but say nothing of the spread.
        """
        residual = np.where(known, root[:, None] - point, 0)
        self._count(residual, known)
        size = np.abs(residual)
        self.seen += known
        telling = known & ~spikes[:, None]
        for spread, seconds in ((self.usual_spread, MEMORY_SECONDS), (self.recent_spread, RECENT_SECONDS)):
            rate = np.maximum(self.tick_seconds / seconds, 1 / (self.seen + PRIOR_RESIDUALS / 2))
            change = np.where(telling, rate * (np.minimum(size, LARGEST_RESIDUAL * spread) - spread), 0)
            np.maximum(spread + change, SMALLEST_SPREAD, out=spread)
        allowed = np.stack([1 - own, np.full(len(own), 1 - NOMINAL)], axis=1)[:, None, :]
        excess = np.where(known[..., None], (root[:, None, None] > upper) - allowed, 0)
        inputs = np.where(known[..., None], conditions, 0) * (RATES_PER_SECOND * self.tick_seconds)
        self.correction += excess[..., None] * inputs[..., None, :]
        np.clip(self.correction, CORRECTION_LOWEST, CORRECTION_HIGHEST, out=self.correction)

    def _count(self, residual: Floats, known: Bools) -> None:
        bins = np.clip(np.searchsorted(EDGES, residual / self.usual_spread) - 1, 0, BINS - 1)
        rows, heads = np.nonzero(known)
        self.histogram[rows, heads, bins[known]] += self.gain[known]
        self.gain *= np.where(known, 2 ** (self.tick_seconds / MEMORY_SECONDS), 1)
        full = self.gain > GAIN_LIMIT
        if full.any():
            self.histogram[full] /= self.gain[full, None]
            self.gain[full] = 1


def _quantile(cumulative: Singles, quantile: Floats) -> Floats:
    """(rows, horizons), in spreads: linear inside the bin. `quantile` is (rows, 1)."""
    wanted = (quantile * cumulative[..., -1])[..., None].astype(np.float32)
    chosen = np.minimum((cumulative < wanted).sum(-1, dtype=np.int64), BINS - 1)[..., None]
    below = np.where(chosen > 0, np.take_along_axis(cumulative, np.maximum(chosen - 1, 0), -1), 0)
    inside = (wanted - below) / np.maximum(np.take_along_axis(cumulative, chosen, -1) - below, 1e-9)
    result: Floats = EDGES[chosen] + np.clip(inside, 0, 1) * (EDGES[chosen + 1] - EDGES[chosen])
    return result[..., 0]
