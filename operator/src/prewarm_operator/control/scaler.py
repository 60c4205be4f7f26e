"""Keeps what is known of loads up to date, and marks an agent when its number of pods changes."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from pydantic import ValidationError

from prewarm_operator import metrics
from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.control.backfill import Backfill
from prewarm_operator.control.forecaster import Forecaster
from prewarm_operator.control.prometheus_poll import PrometheusPoll
from prewarm_operator.decide import reasons
from prewarm_operator.decide.node_headroom import nodes
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.model import Mode, Term, Verdict
from prewarm_operator.decide.scaling.pace import Dated
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, DEPLOYMENTS, PODS
from prewarm_operator.render.agent import parse
from prewarm_operator.render.container import PROBE_PORT
from prewarm_operator.signals.combined import combined
from prewarm_operator.signals.pod_load import agent_reading, most_of_pod
from prewarm_operator.signals.prometheus import Prometheus
from prewarm_operator.signals.server import Server
from prewarm_operator.signals.streams import Streams
from prewarm_operator.world.cache import Key
from prewarm_operator.world.pods import is_ready
from prewarm_operator.world.scaling import NO_HISTORY, NO_SIGNALS, Signals
from prewarm_operator.world.snapshot import Object
from prewarm_operator.world.world import World

logger = logging.getLogger(__name__)

NEWS_SECONDS = 0.25
"""What only the status tells of a decision waits so long: its write would hold up another number, which often follows,
for a burst's first request makes news before the burst makes pods."""


_HINDRANCES = (reasons.LOAD_UNKNOWN, reasons.LOAD_PARTLY_KNOWN, reasons.UPSTREAM_LIMITED, reasons.FORECAST_POOR)
"""Why a number does not follow load and forecast."""


class _Followed(NamedTuple):
    """The spec of an agent whose load is followed, by the generation that it was read from."""

    uid: str
    generation: int
    spec: AgentDeploymentSpec


class _Essence(NamedTuple):
    """What a person would call another decision: not the load to a digit."""

    replicas: int
    auto_replicas: int | None
    terms: list[tuple[str, str]]
    places: int


class Scaler:
    """Follows the agents in the modes Auto and Observe, on every replica: whoever becomes leader knows the loads.

    `mark` puts an agent into the work queue after a delay in seconds. `prometheus` is None where there is none. `clock`
    is monotonic, `wall_clock` the time of day, both in seconds.
    """

    def __init__(
        self,
        world: World,
        mark: Callable[[Key, float], None],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        prometheus: Server | None = None,
    ) -> None:
        self._world = world
        self._mark = mark
        self._clock = clock
        self._wall_clock = wall_clock
        self._streams = Streams(self.load_changed, clock)
        self._server = prometheus
        self._poll = PrometheusPoll(
            self.load_changed, configured=prometheus is not None, clock=clock, wall_clock=wall_clock
        )
        self.forecaster = Forecaster(world)
        self._backfill = Backfill(self.forecaster, wall_clock)
        self._followed: dict[Key, _Followed] = {}
        self._told: dict[Key, _Essence] = {}
        self._hindrances: dict[Key, set[str]] = {}
        world.scaling.heard = self._streams.heard

    def look(self, agent: Key) -> None:
        """Something of this agent has changed, itself or a pod of its: follow what there is now."""
        spec = self._spec(agent)
        if spec is None:
            self._forget(agent)
            return
        own = spec.scaling.prometheus
        query = None if own is None else own.query
        self._poll.follow(agent, query)
        self.forecaster.follow(agent, spec)
        self._backfill.follow(agent, query)
        self._streams.follow(agent, self._addresses(agent))
        self.load_changed(agent)

    async def run(self) -> None:
        """Ask Prometheus and forecast, each once a tick, until cancelled."""
        client = None if self._server is None else Prometheus(self._server, self._clock, self._wall_clock)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._forecast())
                if client is not None:
                    tasks.create_task(self._poll.run(client, TICK_SECONDS))
                    tasks.create_task(self._backfill.run(client))
        finally:
            await self._streams.close()
            if client is not None:
                await client.close()

    async def _forecast(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS - self._wall_clock() % TICK_SECONDS)
            try:
                self.tick(self._clock(), self._wall_clock())
            except Exception:
                logger.exception("forecast crashed")  # it grows old, and the loads count alone

    def tick(self, now: float, epoch_seconds: float) -> None:
        """A tick is over: forecast. `now` is monotonic, `epoch_seconds` the same moment, in seconds."""
        with metrics.FORECAST_SECONDS.time():
            for agent in tuple(self._followed):
                self._read(agent)
            self.forecaster.step(now, epoch_seconds)
        for agent in tuple(self._followed):
            self._tell(agent)
        for reason in _HINDRANCES:
            metrics.HINDERED.labels(reason).set(sum(reason in found for found in self._hindrances.values()))

    def load_changed(self, agent: Key) -> None:
        """A pod of this agent has told its load, or its pods are others."""
        if agent in self._followed:
            self._read(agent)
            self._tell(agent)

    def _read(self, agent: Key) -> None:
        pods, now = self._world.cache.belonging_to(PODS, agent), self._clock()
        ready = {pod["metadata"]["uid"] for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]}
        limit = self._followed[agent].spec.concurrency_limit
        streams, upstream = agent_reading(ready, self._streams.heard(agent), limit, now)
        told = self._poll.reading(agent, len(ready), len(pods) * most_of_pod(limit))
        reading = combined(streams, told, now, own_query=self._poll.has_own_query(agent))
        signals = self._world.scaling.signals
        forecast = signals.get(agent, NO_SIGNALS).forecast
        signals[agent] = Signals(reading, upstream, forecast, self._poll.fault(agent))
        self.forecaster.hear(agent, reading, now)

    def _tell(self, agent: Key) -> None:
        """Mark the agent if the decision about it is another one than when it was marked last."""
        try:
            self._decide(agent)
        except Exception:  # the others, and the stream that it comes from, go on
            logger.exception("decision crashed agent=%s", agent)

    def _decide(self, agent: Key) -> None:
        log = self._world.scaling
        known = log.histories.get(agent)
        verdict, decided = verdict_for(
            self._followed[agent].spec,
            self._world.cache.get(DEPLOYMENTS, agent),
            log.signals[agent],
            known or NO_HISTORY,
            self._clock(),
            self._wall_clock(),
        )
        places, expected = self._places(agent, verdict, (known or NO_HISTORY).expected)
        if known is not None:  # what was needed counts for the whole stabilization, though nothing was to be done
            log.histories[agent] = replace(decided, replicas=known.replicas, changes=known.changes, expected=expected)
        self._hindrances[agent] = {term.reason for term in verdict.terms if _hinders(term)}
        told = _essence(verdict, places)
        before = self._told.get(agent)
        if before != told:
            self._told[agent] = told
            is_other_number = before is None or before.replicas != told.replicas
            self._mark(agent, 0.0 if is_other_number else NEWS_SECONDS)

    def _places(self, agent: Key, verdict: Verdict, expected: Dated) -> tuple[int, Dated]:
        """Those to keep free on nodes, as far as their number changes with the forecast; what the next one needs."""
        spec, signals = self._followed[agent].spec, self._world.scaling.signals[agent]
        if not self._world.places.wanted or Mode(spec.mode) is not Mode.AUTO:
            return 0, expected
        found = nodes(spec, verdict, signals, expected, 0, self._clock(), self._wall_clock())
        # The first ones are the reconcile's, which knows the places that there are.
        return found.places, found.expected if expected else ()

    def _spec(self, agent: Key) -> AgentDeploymentSpec | None:
        """The spec of an agent that is to be followed."""
        body = self._world.cache.get(AGENT_DEPLOYMENTS, agent)
        if body is None or "deletionTimestamp" in body["metadata"]:
            return None
        if body["spec"].get("mode") == Mode.EXTERNAL:
            return None
        uid, generation = body["metadata"]["uid"], body["metadata"].get("generation", 0)
        known = self._followed.get(agent)
        if known is not None and known.uid != uid:
            self._forget(agent)  # a namesake that is gone; the watch missed it
        if known is None or (known.uid, known.generation) != (uid, generation):
            try:
                known = _Followed(uid, generation, parse(body).spec)
            except ValidationError:
                return None  # the reconcile tells
            self._followed[agent] = known
        return known.spec

    def _addresses(self, agent: Key) -> dict[str, str]:
        pods = self._world.cache.belonging_to(PODS, agent)
        addresses = {pod["metadata"]["uid"]: pod.get("status", {}).get("podIP") for pod in pods if not _has_ended(pod)}
        return {uid: _url(address) for uid, address in addresses.items() if address}

    def _forget(self, agent: Key) -> None:
        if self._followed.pop(agent, None) is not None:
            self._told.pop(agent, None)
            self._hindrances.pop(agent, None)
            self._streams.forget(agent)
            self._poll.forget(agent)
            self._backfill.forget(agent)
            self.forecaster.forget(agent)
            self._world.scaling.forget(agent)


def _essence(verdict: Verdict, places: int) -> _Essence:
    terms = [(term.name, term.reason) for term in verdict.terms]
    return _Essence(verdict.replicas, verdict.auto.replicas, terms, places)


def _hinders(term: Term) -> bool:
    """A model API that has just begun to fail limits nothing yet."""
    return term.reason in _HINDRANCES and (term.reason != reasons.UPSTREAM_LIMITED or term.replicas is not None)


def _has_ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _url(address: str) -> str:
    return f"http://[{address}]:{PROBE_PORT}" if ":" in address else f"http://{address}:{PROBE_PORT}"
