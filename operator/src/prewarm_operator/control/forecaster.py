"""One forecast a tick for all agents whose load is followed."""

import math
from dataclasses import replace

import numpy as np

from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide.scaling.horizon import LATER_SECONDS, horizons_ticks
from prewarm_operator.forecast import FleetForecast
from prewarm_operator.signals.mean import TickMean
from prewarm_operator.signals.reading import Reading, Validity
from prewarm_operator.world.cache import Key
from prewarm_operator.world.scaling import NO_SIGNALS, forecast_of
from prewarm_operator.world.world import World

TICK_SECONDS = 15.0

START_SECONDS = 60.0
"""Created to Ready of pods of which none was measured yet."""


class Forecaster:
    """Learns from each tick's mean load, and writes forecasts into the world's signals."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fleet: FleetForecast[Key] = FleetForecast(TICK_SECONDS, horizons=1 + len(LATER_SECONDS))
        self._specs: dict[Key, AgentDeploymentSpec] = {}
        self._means: dict[Key, TickMean] = {}

    def follow(self, agent: Key, spec: AgentDeploymentSpec) -> None:
        """Forecast this agent too, from nothing; one that is there goes on with this spec."""
        self._specs[agent] = spec
        self._means.setdefault(agent, TickMean())
        self._fleet.add(agent)

    def forget(self, agent: Key) -> None:
        """The load of this agent is no concern any more."""
        if self._specs.pop(agent, None) is not None:
            del self._means[agent]
            self._fleet.remove(agent)

    def hear(self, agent: Key, reading: Reading, now: float) -> None:
        """From `now` (monotonic) on the load is what `reading` says, as far as that is known whole."""
        self._means[agent].set(reading.value if reading.validity is Validity.VALID else math.nan, now)

    def step(self, now: float, epoch_seconds: float) -> None:
        """A tick is over: learn from it and forecast. `now` is monotonic, `epoch_seconds` the same moment."""
        if not self._specs:
            return
        agents = self._fleet.keys
        loads = {agent: self._means[agent].take(now) for agent in agents}
        starts = [self._start_seconds(agent) for agent in agents]
        ticks = [horizons_ticks(start, TICK_SECONDS) for start in starts]
        quantiles = [1 - self._specs[agent].scaling.target_cold_percent / 100 for agent in agents]
        told = self._fleet.step(epoch_seconds, loads, np.array(ticks), np.array(quantiles))
        signals = self._world.scaling.signals
        for row, agent in enumerate(agents):
            known = signals.get(agent, NO_SIGNALS)
            signals[agent] = replace(known, forecast=forecast_of(told, row, now, ticks[row][0] * TICK_SECONDS))

    def _start_seconds(self, agent: Key) -> float:
        measured = self._world.start_times(agent)
        return START_SECONDS if measured is None else measured.p90_seconds
