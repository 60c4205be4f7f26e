"""The world as one object: what events and lists bring in, and snapshots out of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from prewarm_operator import metrics
from prewarm_operator.kube.resources import (
    AGENT_DEPLOYMENTS,
    AUTOSCALERS,
    CAPACITY_BUFFERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    POD_TEMPLATES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from prewarm_operator.render import headroom
from prewarm_operator.render.agent import parse
from prewarm_operator.world import pods
from prewarm_operator.world.autoscalers import AutoscalerLog, Autoscalers, name_of, target_of
from prewarm_operator.world.cache import Cache, EventType, Key, key_of
from prewarm_operator.world.places import OFF, NodeHeadroom, Places, places
from prewarm_operator.world.scaling import NO_HISTORY, NO_SIGNALS, ScalingLog
from prewarm_operator.world.snapshot import LiveChildren, Object, Snapshot
from prewarm_operator.world.start_times import StartTimeLog, StartTimes
from prewarm_operator.world.verdicts import ApplyVerdict, VerdictLog


class World:
    """The cache, and what is measured while it changes.

    `default_image` runs agents whose spec names no image; `node_headroom` says whether places on nodes are kept free.
    `clock` is monotonic, in seconds; `wall_clock` is compared with times that the API server wrote.

    Attributes:
        listed_at: when the last complete listing of all kinds began, in seconds since the epoch; 0 before the first.
        verdicts: what the API server said about pods of new revisions.
        scaling: what is known of loads, and what was decided about them.
        buffers_served: whether the cluster has CapacityBuffers, as of the last listing.
        apply_verdicts: what it said about an apply of a child Deployment that it keeps otherwise than it was applied.
    """

    def __init__(
        self,
        cache: Cache,
        default_image: str,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        node_headroom: NodeHeadroom = OFF,
    ) -> None:
        self.cache = cache
        self.listed_at = 0.0
        self.buffers_served = False
        self.verdicts = VerdictLog(clock)
        self.apply_verdicts: dict[Key, ApplyVerdict] = {}
        self.scaling = ScalingLog()
        self._default_image = default_image
        self._node_headroom = node_headroom
        self._clock = clock
        self._wall_clock = wall_clock
        self._start_times = StartTimeLog()
        self._autoscalers = AutoscalerLog()

    def observe(self, resource: Resource, event: EventType, body: Mapping[str, Any], at: float) -> Key | None:
        """Take in a watch event that arrived at `at` (monotonic seconds). Returns the agent to look at, if any."""
        # An autoscaler that now scales something else is missed by whom it scaled before.
        agent = self.cache.agent_of(resource, body) or self.cache.last_agent_of(resource, key_of(body))
        changed = self._remove(resource, body) if event == "DELETED" else self.cache.put(resource, body)
        if resource == PODS:
            self._measure(agent, event, body, at)
        if resource == AGENT_DEPLOYMENTS and agent is not None and event == "DELETED":
            self.forget(agent)  # a standby reconciles nothing that would notice
        # An autoscaler of a Deployment that is none of ours is no concern of ours.
        ours = resource != AUTOSCALERS or (agent is not None and self.cache.get(AGENT_DEPLOYMENTS, agent) is not None)
        return agent if changed and ours else None

    def _remove(self, resource: Resource, body: Mapping[str, Any]) -> bool:
        if resource == PODS and pods.left_the_watch(body):
            return self.cache.put(resource, pods.unlabelled(body))
        return self.cache.remove(resource, body)

    def _measure(self, agent: Key | None, event: EventType, pod: Mapping[str, Any], at: float) -> None:
        if event == "DELETED":
            self._start_times.pod_gone(pod["metadata"]["uid"])
        if agent is None:
            return
        if event == "ADDED" and pods.was_just_made(pod):
            self._start_times.pod_added(pod["metadata"]["uid"], at)
        elif (seconds := self._start_times.pod_seen(agent, pod, at)) is not None:
            metrics.CREATED_TO_READY_SECONDS.observe(seconds)

    def watches_had_a_gap(self) -> None:
        """Events were missed: a pod that was starting meanwhile is not measured, nor waited for."""
        self._start_times.forget_unfinished()

    def forget(self, agent: Key) -> None:
        """The AgentDeployment is gone: drop what was measured for it."""
        self._start_times.forget(agent)
        self._autoscalers.forget(agent)
        self.apply_verdicts.pop(agent, None)
        self.scaling.forget(agent)

    def snapshot(self, key: Key, body: Mapping[str, Any]) -> Snapshot:
        """Everything about one AgentDeployment, frozen.

        Raises:
            pydantic.ValidationError: the object cannot be read.
        """
        cache = self.cache
        return Snapshot(
            key=key,
            agent=parse(body),
            children=LiveChildren(
                deployment=cache.get(DEPLOYMENTS, key),
                service=cache.get(SERVICES, key),
                disruption_budget=cache.get(DISRUPTION_BUDGETS, key),
                config_maps=tuple(cache.belonging_to(CONFIG_MAPS, key)),
                replica_sets=tuple(cache.belonging_to(REPLICA_SETS, key)),
                replica_sets_read_at=self.listed_at,
                headroom=self._headroom_of(key),
            ),
            pods=tuple(pods.view(pod, cache.maker_of(pod)) for pod in cache.belonging_to(PODS, key)),
            autoscalers=self._autoscalers_of(key),
            taken_at=self._wall_clock(),
            now=self._clock(),
            start_times=self._start_times.of(key),
            default_image=self._default_image,
            apply_verdict=self.apply_verdicts.get(key),
            pod_verdict=self.verdicts.of(key),
            signals=self.scaling.signals.get(key, NO_SIGNALS),
            history=self.scaling.histories.get(key, NO_HISTORY),
            places=self.places,
            in_flight=self.scaling.in_flight(key, self._clock()),
        )

    @property
    def places(self) -> Places:
        """By what places on nodes are kept free."""
        return places(self._node_headroom, self.buffers_served)

    def _headroom_of(self, key: Key) -> tuple[Object, ...]:
        named = Key(key.namespace, headroom.name(key.name))
        found = (self.cache.get(resource, named) for resource in (POD_TEMPLATES, CAPACITY_BUFFERS, DEPLOYMENTS))
        return tuple(each for each in found if each is not None)

    def start_times(self, agent: Key) -> StartTimes | None:
        """Created to Ready as measured, or None before the first pod."""
        return self._start_times.of(agent)

    def _autoscalers_of(self, key: Key) -> Autoscalers:
        of_the_child, of_the_agent = (
            tuple(
                sorted({name_of(each) for each in self.cache.belonging_to(AUTOSCALERS, key) if target_of(each) == kind})
            )
            for kind in (DEPLOYMENTS.kind, AGENT_DEPLOYMENTS.kind)
        )
        seen = self._autoscalers.seen(key, of_the_child, self._clock())
        return replace(seen, of_the_agent=of_the_agent)

    def count_agents(self, ready: str) -> int:
        """How many AgentDeployments have this status of the condition Ready; without one it is Unknown."""
        bodies = (self.cache.get(AGENT_DEPLOYMENTS, key) or {} for key in self.agents())
        return sum(_ready_status(body) == ready for body in bodies)

    def agents(self) -> frozenset[Key]:
        """Every AgentDeployment that is known."""
        return self.cache.keys(AGENT_DEPLOYMENTS)


def _ready_status(agent: Mapping[str, Any]) -> str:
    conditions = agent.get("status", {}).get("conditions", ())
    return next((str(entry["status"]) for entry in conditions if entry["type"] == "Ready"), "Unknown")
