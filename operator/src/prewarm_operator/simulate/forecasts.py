"""The operator's own forecast over a recorded load."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS, horizons_ticks
from prewarm_operator.forecast import FleetForecast, Forecasts
from prewarm_operator.world.scaling import Forecast, forecast_of

PART_TICKS = 200

Setting = tuple[float, float]
"""Start time in seconds and target cold share."""

Parts = Generator[Forecasts[str], None, None]
"""Forecasts of consecutive ticks, some ticks at a time: in each part the rows of its first tick, one for each setting,
then those of the next one. Their keys are the places of the settings."""

Source = Callable[[Sequence[float], Sequence[Setting], float], Parts]
"""`(demand, settings, begins_epoch_seconds) -> parts`, wherever they are computed."""


@dataclass(frozen=True)
class Foreseen:
    """The forecasts for one start time and one target cold share, by the tick after whose load they were made.

    Attributes:
        start_seconds: the start time.
        made: as the decision takes them.
        expected: the load expected at the own horizon, of which `made` has the upper bound.
    """

    start_seconds: float
    made: list[Forecast] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)

    def __call__(self, tick: int) -> Forecast:
        """What is known at the start of a tick: the forecast of the tick before."""
        return self.made[tick - 1]

    def add(self, part: Forecasts[str], rows: Iterable[int]) -> None:
        """Go on with these rows of a part, one for each tick."""
        ahead_seconds = horizons_ticks(self.start_seconds, TICK_SECONDS)[0] * TICK_SECONDS
        for row in rows:
            now = (len(self.made) + 1) * TICK_SECONDS
            self.made.append(forecast_of(part, row, now, ahead_seconds))
            self.expected.append(float(part.point[row, 0]))


def forecasts(
    demand: Sequence[float], settings: Sequence[Setting], begins_epoch_seconds: float = 0.0
) -> dict[Setting, Foreseen]:
    """Forecasts over a whole demand, by setting."""
    made = [Foreseen(start) for start, _ in settings]
    for part in in_parts(demand, settings, begins_epoch_seconds):
        add(part, made)
    return dict(zip(settings, made, strict=True))


def add(part: Forecasts[str], made: Sequence[Foreseen]) -> int:
    """Go on with a part, and say how many ticks it has; `made` are those of its settings, in their order."""
    for place, foreseen in enumerate(made):
        foreseen.add(part, range(place, len(part.keys), len(made)))
    return len(part.keys) // len(made)


def in_parts(demand: Sequence[float], settings: Sequence[Setting], begins_epoch_seconds: float) -> Parts:
    """Forecast tick by tick. All settings are rows of one fleet, for pods do not change the load."""
    fleet: FleetForecast[str] = FleetForecast(TICK_SECONDS)
    for place in range(len(settings)):
        fleet.add(str(place))
    horizons = np.array([horizons_ticks(start, TICK_SECONDS) for start, _ in settings])
    quantiles = np.array([1 - share for _, share in settings])
    told = []
    for tick, load in enumerate(demand, 1):
        at_seconds = begins_epoch_seconds + tick * TICK_SECONDS
        told.append(fleet.step(at_seconds, np.full(len(settings), load), horizons, quantiles))
        if len(told) == PART_TICKS or tick == len(demand):
            yield _joined(told)
            told = []


def _joined(told: Sequence[Forecasts[str]]) -> Forecasts[str]:
    keys = [key for one in told for key in one.keys]
    arrays = [one.name for one in fields(Forecasts) if one.name != "keys"]
    return Forecasts(tuple(keys), **{name: np.concatenate([getattr(one, name) for one in told]) for name in arrays})
