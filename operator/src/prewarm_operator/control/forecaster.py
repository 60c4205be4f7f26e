"""One forecast a tick for all agents whose load is followed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide.scaling.horizon import LATER_SECONDS, TICK_SECONDS, horizons_ticks
from prewarm_operator.forecast import FleetForecast
from prewarm_operator.signals.mean import TickMean
from prewarm_operator.signals.reading import Reading, Validity
from prewarm_operator.world.cache import Key
from prewarm_operator.world.scaling import NO_SIGNALS, forecast_of
from prewarm_operator.world.world import World

START_SECONDS = 60.0
"""Created to Ready of pods of which none was measured yet."""


class Replay:
    """Loads of the past on their way into the forecast."""

    def __init__(self, fleet: FleetForecast[Key], ticks: npt.ArrayLike, quantiles: npt.ArrayLike) -> None:
        self.fleet = fleet
        self.heard: set[Key] = set()
        self._ticks, self._quantiles = ticks, quantiles

    def step(self, epoch_seconds: float, loads: Mapping[Key, float]) -> None:
        """Learn one tick's loads; NaN and what is missing is not known."""
        self.fleet.step(epoch_seconds, loads, self._ticks, self._quantiles)
        self.heard.update(agent for agent, load in loads.items() if not math.isnan(load))


class Forecaster:
    """Learns from each tick's mean load, and writes forecasts into the world's signals."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fleet: FleetForecast[Key] = FleetForecast(TICK_SECONDS, horizons=1 + len(LATER_SECONDS))
        self._specs: dict[Key, AgentDeploymentSpec] = {}
        self._means: dict[Key, TickMean] = {}
        self._replayed: set[Key] = set()

    @property
    def agents(self) -> tuple[Key, ...]:
        """Those that are followed."""
        return tuple(self._specs)

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
            self._replayed.discard(agent)

    def hear(self, agent: Key, reading: Reading, now: float) -> None:
        """From `now` (monotonic) on the load is what `reading` says, as far as that is known whole."""
        self._means[agent].set(reading.value if reading.validity is Validity.VALID else math.nan, now)

    def step(self, now: float, epoch_seconds: float) -> None:
        """A tick is over: learn from it and forecast. `now` is monotonic, `epoch_seconds` the same moment."""
        if not self._specs:
            return
        agents = self._fleet.keys
        loads = {agent: self._means[agent].take(now) for agent in agents}
        ticks, quantiles = self._asked(agents)
        told = self._fleet.step(epoch_seconds, loads, np.array(ticks), np.array(quantiles))
        signals = self._world.scaling.signals
        for row, agent in enumerate(agents):
            known = signals.get(agent, NO_SIGNALS)
            signals[agent] = replace(known, forecast=forecast_of(told, row, now, ticks[row][0] * TICK_SECONDS))

    def replay(self, agents: Iterable[Key], first_seconds: float) -> Replay:
        """Begin to learn the past of these agents from `first_seconds` of Unix time on, tick by tick."""
        fleet = self._fleet.beside(first_seconds)
        for agent in agents:
            if agent in self._specs:
                fleet.add(agent)
        return Replay(fleet, *(np.array(asked) for asked in self._asked(fleet.keys)))

    def adopt(self, replay: Replay) -> int:
        """Go on from what the replay has learned of those that it had any load of; says how many these are."""
        adopted = [agent for agent in replay.fleet.keys if agent in replay.heard]
        self._fleet.adopt(replay.fleet, adopted)
        self._replayed.update(agent for agent in adopted if agent in self._specs)
        return len(adopted)

    def save(self, agents: Iterable[Key]) -> bytes:
        """What was learned of these agents."""
        return self._fleet.save(agents)

    def restore(self, saved: bytes) -> tuple[Key, ...]:
        """Go on from what was saved, with all agents in it that are followed and whose past was not replayed.

        Raises:
            StateRefused: nothing was taken; the message says why.
        """
        part: FleetForecast[Key] = FleetForecast(TICK_SECONDS, horizons=1 + len(LATER_SECONDS))
        for agent in self._specs.keys() - self._replayed:
            part.add(agent)
        restored = part.restore(saved)
        self._fleet.adopt(part, restored)
        return restored

    def _asked(self, agents: Iterable[Key]) -> tuple[list[tuple[int, ...]], list[float]]:
        """Horizons in ticks and the quantile of each, as its start time and its spec have them."""
        ticks, quantiles = [], []
        for agent in agents:
            ticks.append(horizons_ticks(self._start_seconds(agent), TICK_SECONDS))
            quantiles.append(1 - self._specs[agent].scaling.target_cold_percent / 100)
        return ticks, quantiles

    def _start_seconds(self, agent: Key) -> float:
        measured = self._world.start_times(agent)
        return START_SECONDS if measured is None else measured.p90_seconds
