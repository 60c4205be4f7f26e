"""The operator's own forecast over a recorded load."""

from collections.abc import Callable, Sequence

import numpy as np

from prewarm_operator.decide.scaling.horizon import horizons_ticks
from prewarm_operator.forecast import FleetForecast
from prewarm_operator.simulate.demand import TICK_SECONDS
from prewarm_operator.simulate.prewarm import Forecasts
from prewarm_operator.world.scaling import Forecast, forecast_of


def forecasts(
    demand: Sequence[float],
    settings: Sequence[tuple[float, float]],
    begins_epoch_seconds: float = 0.0,
    done: Callable[[int], None] = lambda _: None,
) -> dict[tuple[float, float], Forecasts]:
    """Forecasts by start time in seconds and target cold share: rows of one fleet, for pods do not change the load.

    `done` is told each tick that was forecast.
    """
    fleet: FleetForecast[str] = FleetForecast(TICK_SECONDS)
    for row in range(len(settings)):
        fleet.add(str(row))
    horizons = np.array([horizons_ticks(start, TICK_SECONDS) for start, _ in settings])
    quantiles = np.array([1 - share for _, share in settings])
    made: list[list[Forecast]] = [[] for _ in settings]
    for tick, load in enumerate(demand):
        now = (tick + 1) * TICK_SECONDS
        told = fleet.step(begins_epoch_seconds + now, np.full(len(settings), load), horizons, quantiles)
        for row, ticks in enumerate(made):
            ticks.append(forecast_of(told, row, now, float(horizons[row, 0]) * TICK_SECONDS))
        done(tick)
    return {setting: _known_at(ticks) for setting, ticks in zip(settings, made, strict=True)}


def _known_at(made: Sequence[Forecast]) -> Forecasts:
    """At the start of a tick the forecast of the tick before is known."""
    return lambda tick: made[tick - 1]
