"""Recursive least squares with exponential forgetting (Haykin, Adaptive Filter Theory, ch. 10), one head per horizon.

The prior is a forecast in itself: the level of the last two minutes, and half of what the day usually brings.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from prewarm_operator.forecast.arrays import Bools, Floats, Room
from prewarm_operator.forecast.features import COUNT, INCREMENT, LEVEL

MEMORY_SECONDS = 2 * 86_400.0
PRIOR_WEIGHTS = np.zeros(COUNT)
PRIOR_WEIGHTS[LEVEL], PRIOR_WEIGHTS[INCREMENT] = 1, 0.5
PRIOR_COVARIANCE = np.diag([1e-3] + [1 / 50] * (COUNT - 1))
"""The constant is stiff: a load that is zero for hours must not teach an offset."""

INNOVATION_LIMIT = 12.0
"""In typical errors. What lies further out teaches as much as this, not more."""

TYPICAL_ERROR_RATE = 0.001

TRACE_LIMIT = 1.0
"""A few priors. The covariance stays as it is rather than grow without excitation, through a quiet night (wind-up)."""

LOST_SECONDS = 1_800.0
LOST_RATIO = 3.0
LOST_ERROR = 1.0
"""A head whose mean error is so many times that of the prior, and this much more, learned nonsense and starts again.
The time constant of the mean is LOST_SECONDS; one is two standard deviations of the root of a Poisson variable."""


@dataclass
class Learner(Room):
    """Weights (rows, horizons, COUNT), their covariance, and the typical error of each head."""

    tick_seconds: float
    weights: Floats
    covariance: Floats
    typical_error: Floats
    recent_error: Floats
    prior_error: Floats
    """Mean absolute errors of late, of the head and of the prior alone."""

    @classmethod
    def cold(cls, rows: int, horizons: int, tick_seconds: float) -> Self:
        """Rows that know the prior only."""
        return cls(
            tick_seconds=tick_seconds,
            weights=np.tile(PRIOR_WEIGHTS, (rows, horizons, 1)),
            covariance=np.tile(PRIOR_COVARIANCE, (rows, horizons, 1, 1)),
            typical_error=np.ones((rows, horizons)),
            recent_error=np.zeros((rows, horizons)),
            prior_error=np.zeros((rows, horizons)),
        )

    def predict(self, features: Floats) -> Floats:
        """(rows, horizons), as a square root; any finite number. A head that gives none starts again from the prior."""
        result: Floats = np.einsum("nhp,nhp->nh", features, self.weights)
        broken = ~np.isfinite(result)
        if np.count_nonzero(broken):
            self._start_again(broken)
            result[broken] = features[broken] @ PRIOR_WEIGHTS
        return result

    def _start_again(self, heads: Bools) -> None:
        self.weights[heads], self.covariance[heads] = PRIOR_WEIGHTS, PRIOR_COVARIANCE
        self.recent_error[heads] = self.prior_error[heads]

    def learn(self, features: Floats, root: Floats, known: Bools) -> None:
        """One reading per row, and the features (rows, horizons, COUNT) that each head had when it forecast it.

        Heads that are not `known` (rows, horizons) learn nothing.
        """
        features = np.where(known[..., None], features, 0)
        forgetting = 1 - self.tick_seconds / MEMORY_SECONDS
        gain = np.matmul(self.covariance, features[..., None])[..., 0]
        # Not below the forgetting factor, whatever rounding did to the covariance.
        denominator = forgetting + np.maximum(0.0, np.einsum("nhp,nhp->nh", features, gain))
        error = np.where(known, root[:, None] - self.predict(features), 0)
        self.typical_error += np.where(known, TYPICAL_ERROR_RATE * (np.abs(error) - self.typical_error), 0)
        self._compare(np.abs(error), np.abs(root[:, None] - features @ PRIOR_WEIGHTS), known)
        limit = INNOVATION_LIMIT * self.typical_error
        self.weights += gain * (np.minimum(np.maximum(error, -limit), limit) / denominator)[..., None]
        # A product with itself is symmetric to the last bit; what is not symmetric would grow with every tick.
        column = gain / np.sqrt(denominator)[..., None]
        covariance = (self.covariance - column[..., :, None] * column[..., None, :]) / forgetting
        sane = known & (np.einsum("nhpp->nh", covariance) < TRACE_LIMIT)
        np.copyto(self.covariance, covariance, where=sane[..., None, None])
        lost = self.recent_error > LOST_RATIO * self.prior_error + LOST_ERROR
        if np.count_nonzero(lost):
            self._start_again(lost)

    def _compare(self, error: Floats, prior_error: Floats, known: Bools) -> None:
        rate = np.where(known, self.tick_seconds / LOST_SECONDS, 0)
        self.recent_error += rate * (error - self.recent_error)
        self.prior_error += rate * (prior_error - self.prior_error)
