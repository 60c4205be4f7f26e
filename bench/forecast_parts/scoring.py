"""What a forecast is worth, and what ours says over a trace."""

from collections.abc import Sequence

import numpy as np

from forecast_parts.traces import Floats, Trace
from prewarm_operator.forecast import FleetForecast

QUANTILE = 0.95
HORIZONS_SECONDS = (60, 180, 600)
LEARNED_SHARE = 0.55
"""Of each trace; the rest is scored."""


def horizons(trace: Trace) -> list[int]:
    """The horizons in bins."""
    return [seconds // trace.bin_seconds for seconds in HORIZONS_SECONDS]


def first_scored(trace: Trace) -> int:
    """The first bin after which a forecast is scored."""
    return int(len(trace.load) * LEARNED_SHARE)


def pinball(load: Floats, bound: Floats) -> float:
    """Mean loss at QUANTILE."""
    difference = load - bound
    return float(np.maximum(QUANTILE * difference, (QUANTILE - 1) * difference).mean())


def geometric_mean(ratios: Sequence[float]) -> float:
    """Of ratios."""
    return float(np.exp(np.log(ratios).mean()))


def ours(trace: Trace) -> Floats:
    """(horizons, bins): the upper bound at QUANTILE for bin t + h, told tick by tick as in the operator."""
    fleet: FleetForecast[str] = FleetForecast(trace.bin_seconds, len(HORIZONS_SECONDS))
    fleet.add(trace.name)
    ahead = horizons(trace)
    told = [
        fleet.step(bin_number * trace.bin_seconds, {trace.name: float(load)}, ahead).upper95[0]
        for bin_number, load in enumerate(trace.load)
    ]
    return np.array(told).T
