"""The operator's own forecast over a recorded load."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from prewarm_operator.decide.scaling.horizon import horizons_ticks
from prewarm_operator.forecast import FleetForecast
from prewarm_operator.simulate.demand import TICK_SECONDS
from prewarm_operator.world.scaling import Forecast, forecast_of


@dataclass(frozen=True)
class Foreseen:
    """The forecasts for one start time and one target cold share, by the tick after whose load they were made.

    Attributes:
        made: as the decision takes them.
        expected: the load expected at the own horizon, of which `made` has the upper bound.
    """

    made: list[Forecast] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)

    def __call__(self, tick: int) -> Forecast:
        """What is known at the start of a tick: the forecast of the tick before."""
        return self.made[tick - 1]


def forecasts(
    demand: Sequence[float],
    settings: Sequence[tuple[float, float]],
    begins_epoch_seconds: float = 0.0,
    done: Callable[[int], None] = lambda _: None,
) -> dict[tuple[float, float], Foreseen]:
    """Forecasts by start time in seconds and target cold share: rows of one fleet, for pods do not change the load.

    `done` is told each tick that was forecast.
    """
    fleet: FleetForecast[str] = FleetForecast(TICK_SECONDS)
    for row in range(len(settings)):
        fleet.add(str(row))
    horizons = np.array([horizons_ticks(start, TICK_SECONDS) for start, _ in settings])
    ahead_seconds = (horizons[:, 0] * TICK_SECONDS).tolist()
    quantiles = np.array([1 - share for _, share in settings])
    rows = [Foreseen() for _ in settings]
    for tick, load in enumerate(demand):
        now = (tick + 1) * TICK_SECONDS
        told = fleet.step(begins_epoch_seconds + now, np.full(len(settings), load), horizons, quantiles)
        for row, foreseen in enumerate(rows):
            foreseen.made.append(forecast_of(told, row, now, ahead_seconds[row]))
            foreseen.expected.append(float(told.point[row, 0]))
        done(tick)
    return dict(zip(settings, rows, strict=True))
