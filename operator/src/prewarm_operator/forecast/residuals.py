"""How far the forecasts were off, per head: a decayed histogram, and a correction that holds the coverage.

Conformal prediction with exponential weights (Barber et al., 2023, Conformal prediction beyond exchangeability). The
correction is the integrator of conformal PID control (Angelopoulos, Candès, Tibshirani, 2023), extended from a constant
to a few conditions: online quantile regression, whose subgradient is the miss less the share of misses allowed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Floats, Room, Singles

MEMORY_SECONDS = 86_400.0
"""Half-life of a residual, and time constant of the usual spread."""

RECENT_SECONDS = 1_000.0
"""Time constant of the recent spread."""

USUAL, RECENT = range(2)
MEMORIES_SECONDS = np.array([MEMORY_SECONDS, RECENT_SECONDS])

PRIOR_SPREAD = 0.5
"""Standard deviation of the root of a Poisson variable: what a row is taken for until it has shown otherwise."""

PRIOR_RESIDUALS = 20.0

LARGEST_RESIDUAL = 10.0
"""In spreads. A larger one widens the spread no more than this."""

SMALLEST_SPREAD = 1e-3

CONDITIONS = 4
"""Of the correction: constant, recent spread over the usual, recent maximum over the level, level over the hour's."""

CONDITION_SCALE = np.array([1.0, 1.0, 0.2, 0.2])
CONDITION_LIMIT = 3.0
RATES_PER_SECOND = np.array([1 / 2000, 1 / 5000, 1 / 5000, 1 / 5000])
CORRECTION_LOWEST = np.full(CONDITIONS, -1.0)
CORRECTION_HIGHEST = np.array([3.0, 1.0, 1.0, 1.0])
"""In spreads: a long series of misses or of none winds up no further."""

EDGES = np.sinh(np.linspace(-3.2, 4.3, 97))
"""Of the bins, in spreads: from -12 to 37, a twelfth wide in the middle."""

BINS = len(EDGES) - 1
WIDTHS = np.diff(EDGES)

_LAPLACE = np.exp(-np.abs((EDGES[1:] + EDGES[:-1]) / 2)) * WIDTHS
PRIOR = (PRIOR_RESIDUALS * _LAPLACE / _LAPLACE.sum()).astype(np.float32)
"""The mean absolute residual is one spread."""

GAIN_LIMIT = 1e6


@dataclass
class Residuals(Room):
    """Residuals of the square root of the load, by row and horizon."""

    tick_seconds: float
    spread: Floats
    """(rows, horizons, 2): mean absolute residual, USUAL and RECENT. The usual one is the unit of all that follows."""
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
            spread=np.full((rows, horizons, 2), PRIOR_SPREAD),
            seen=np.zeros((rows, horizons)),
            histogram=np.tile(PRIOR, (rows, horizons, 1)),
            gain=np.ones((rows, horizons)),
            correction=np.zeros((rows, horizons, 2, CONDITIONS)),
        )

    def conditions(self, above_level: Floats, above_hour: Floats) -> Floats:
        """(rows, horizons, CONDITIONS), from (rows,): recent maximum less level, and level less that of the hour."""
        usual = self.spread[..., USUAL]
        result = np.empty((*usual.shape, CONDITIONS))
        result[..., 0] = usual
        result[..., 1] = self.spread[..., RECENT] - usual
        result[..., 2] = above_level[:, None]
        result[..., 3] = above_hour[:, None]
        result *= CONDITION_SCALE
        result /= usual[..., None]
        return np.minimum(np.maximum(result, -CONDITION_LIMIT), CONDITION_LIMIT)

    def margins(self, conditions: Floats, quantiles: Floats) -> Floats:
        """(rows, horizons, 2): what to add to a point for `quantiles` (rows, 2), the row's own and NOMINAL."""
        correction = np.einsum("nhqc,nhc->nhq", self.correction, conditions)
        result: Floats = (self._spreads(quantiles[:, None]) + correction) * self.spread[..., USUAL, None]
        return result

    def _spreads(self, quantiles: Floats) -> Floats:
        """(rows, horizons, 2): the histogram's `quantiles` (rows, 1, 2), linear inside the bin."""
        below = np.zeros((*self.seen.shape, BINS + 1), dtype=np.float32)
        """Weight below each edge."""
        self.histogram.cumsum(axis=-1, out=below[..., 1:])
        wanted = (quantiles * below[..., -1:]).astype(np.float32)
        inner = below[..., None, 1:] < wanted[..., None]
        chosen = np.minimum(np.add.reduce(inner, axis=-1, dtype=np.int64), BINS - 1)
        place = chosen + np.arange(0, below.size, BINS + 1).reshape(*self.seen.shape, 1)
        weight = below.reshape(-1)
        left = weight.take(place)
        inside = (wanted - left) / np.maximum(weight.take(place + 1) - left, 1e-9)
        result: Floats = EDGES.take(chosen) + np.minimum(np.maximum(inside, 0), 1) * WIDTHS.take(chosen)
        return result

    def learn(
        self, root: Array, point: Array, upper: Array, conditions: Array, quantiles: Floats, known: Bools, spikes: Bools
    ) -> None:
        """What came (rows,), and what had been forecast for it: point and conditions, upper (rows, horizons, 2).

        `spikes` (rows,) are misses like others, but say nothing of the spread.
        """
        residual = np.where(known, root[:, None] - point, 0)
        self._count(residual, known)
        self.seen += known
        telling = (known & ~spikes[:, None])[..., None]
        rate = np.maximum(self.tick_seconds / MEMORIES_SECONDS, (1 / (self.seen + PRIOR_RESIDUALS / 2))[..., None])
        size = np.minimum(np.abs(residual)[..., None], LARGEST_RESIDUAL * self.spread)
        self.spread += np.where(telling, rate * (size - self.spread), 0)
        np.maximum(self.spread, SMALLEST_SPREAD, out=self.spread)
        excess = (root[:, None, None] > upper) - (1 - quantiles[:, None])
        inputs = np.where(known[..., None], conditions, 0) * (RATES_PER_SECOND * self.tick_seconds)
        self.correction += excess[..., None] * inputs[..., None, :]
        np.maximum(self.correction, CORRECTION_LOWEST, out=self.correction)
        np.minimum(self.correction, CORRECTION_HIGHEST, out=self.correction)

    def _count(self, residual: Floats, known: Bools) -> None:
        bins = EDGES.searchsorted(residual / self.spread[..., USUAL]) - 1
        place = np.minimum(np.maximum(bins, 0), BINS - 1).reshape(-1) + np.arange(0, self.histogram.size, BINS)
        self.histogram.reshape(-1)[place] += np.where(known, self.gain, 0).reshape(-1)
        self.gain *= np.where(known, 2 ** (self.tick_seconds / MEMORY_SECONDS), 1)
        full = self.gain > GAIN_LIMIT
        if np.count_nonzero(full):
            self.histogram[full] /= self.gain[full, None]
            self.gain[full] = 1
