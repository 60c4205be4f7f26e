"""Prewarm's own policy: the decision that the operator takes, with a recorded load as its readings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prewarm_operator.decide.scaling.decision import decide_scaling
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.model import Inputs, Pods, Policy, Verdict
from prewarm_operator.decide.schedule import Calendar, Window
from prewarm_operator.signals.reading import Reading
from prewarm_operator.world.scaling import Forecast, History

Forecasts = Callable[[int], Forecast | None]
"""`tick -> forecast` made from the load of the ticks before it."""


@dataclass
class Prewarm:
    """Mode Auto over a demand.

    Attributes:
        policy: bounds, limit, target, and how fast the number may fall.
        forecasts: one for each tick.
        windows: checked schedule windows.
        begins_epoch_seconds: the time of the first tick, for the windows.
    """

    demand: Sequence[float]
    policy: Policy
    forecasts: Forecasts
    windows: Sequence[Window] = ()
    begins_epoch_seconds: float = 0.0
    _history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self._calendar = Calendar(self.windows)

    def __call__(self, tick: int, total: int, _ready: int) -> int:
        return self.decide(tick, total).replicas

    def decide(self, tick: int, total: int) -> Verdict:
        """The verdict at the begin of a tick, with `total` pods; each tick once, in their order."""
        now = tick * TICK_SECONDS
        epoch_seconds = self.begins_epoch_seconds + now
        inputs = Inputs(
            policy=self.policy,
            pods=Pods(own=total),
            epoch_seconds=epoch_seconds,
            reading=Reading(self.demand[tick - 1], now, "the record"),
            forecast=self.forecasts(tick),
            schedule=self._calendar.at(epoch_seconds),
        )
        verdict, self._history = decide_scaling(inputs, self._history, now)
        return verdict
