"""Fleets for the tests of the forecast: the loads they are given, and what they told."""

from collections.abc import Iterable, Mapping

import numpy as np

from prewarm_operator.forecast import FleetForecast, Forecasts

START = 1_800_000_000.0 - 1_800_000_000 % 86_400
"""Midnight of some day."""

HORIZONS = (2, 4, 12, 20)


def fleet(*keys: str, tick_seconds: float = 15.0, horizons: int = 4) -> FleetForecast[str]:
    made: FleetForecast[str] = FleetForecast(tick_seconds, horizons)
    for key in keys:
        made.add(key)
    return made


def poisson(mean: float, ticks: int, seed: int = 1) -> list[float]:
    return np.random.default_rng(seed).poisson(mean, ticks).astype(float).tolist()


def daily(mean: float, days: int, tick_seconds: float, seed: int = 1) -> list[float]:
    """Quiet at midnight, busy at noon, Poisson about it."""
    at = np.arange(int(days * 86_400 / tick_seconds)) * tick_seconds
    usual = mean * (1 - 0.8 * np.cos(2 * np.pi * at / 86_400))
    return np.random.default_rng(seed).poisson(usual).astype(float).tolist()


def run(
    made: FleetForecast[str],
    loads: Iterable[float | Mapping[str, float]],
    start: float = START,
    horizons: object = HORIZONS,
) -> list[Forecasts[str]]:
    """One step per load, which all rows get unless it is by key."""
    return [
        made.step(
            start + index * made.tick_seconds,
            load if isinstance(load, Mapping) else dict.fromkeys(made.keys, load),
            horizons,  # type: ignore[arg-type]
        )
        for index, load in enumerate(loads)
    ]


def equal(
    one: Forecasts[str], other: Forecasts[str], rows: object = slice(None), other_rows: object = slice(None)
) -> bool:
    """To the last bit."""
    names = ("point", "upper", "upper95", "valid", "sparse", "poor", "coverage", "pinball")
    return all(
        np.array_equal(getattr(one, name)[rows], getattr(other, name)[other_rows], equal_nan=True) for name in names
    )
