"""Which children to create, apply or delete."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.drift import first_difference
from prewarm_operator.decide.ownership import controlled_by, left_by_predecessor, name_conflict
from prewarm_operator.decide.plan import Adopt, Apply, Create, Delete, Event, Problem, TryApply, Write
from prewarm_operator.kube.resources import (
    CAPACITY_BUFFERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    POD_TEMPLATES,
    SERVICES,
    Resource,
)
from prewarm_operator.render.children import Children
from prewarm_operator.world.cache import applied_hash, generation_of
from prewarm_operator.world.snapshot import LiveChildren, Object, Snapshot

Verdict = Write | Problem | None

REPLICA_SET_GRACE_SECONDS = 60.0
"""A ReplicaSet is made seconds after its ConfigMap. A ConfigMap that was this old when ReplicaSets were listed, and
that none of them mounts, will never be mounted."""


def decide_children(snapshot: Snapshot, wanted: Children) -> tuple[tuple[Write, ...], tuple[Problem, ...]]:
    """The writes that make the live children what is wanted, and what stands in the way."""
    verdicts = [_child(snapshot, *pair) for pair in _pairs(snapshot.children, wanted)]
    writes = [verdict for verdict in verdicts if isinstance(verdict, Create | Adopt | Apply | TryApply)]
    problems = [verdict for verdict in verdicts if isinstance(verdict, Problem)]
    return (*writes, *_retired_config_maps(snapshot, wanted)), tuple(problems)


def _pairs(live: LiveChildren, wanted: Children) -> Iterator[tuple[Resource, Mapping[str, Any], Object | None]]:
    if wanted.config_map is not None:
        name = wanted.config_map["metadata"]["name"]
        same = next((item for item in live.config_maps if item["metadata"]["name"] == name), None)
        yield CONFIG_MAPS, wanted.config_map, same
    yield SERVICES, wanted.service, live.service
    yield DISRUPTION_BUDGETS, wanted.disruption_budget, live.disruption_budget
    yield DEPLOYMENTS, wanted.deployment, live.deployment
    for body in wanted.headroom:
        resource = next(each for each in (POD_TEMPLATES, CAPACITY_BUFFERS, DEPLOYMENTS) if each.kind == body["kind"])
        yield resource, body, next((each for each in live.headroom if each["kind"] == body["kind"]), None)


def _child(snapshot: Snapshot, resource: Resource, wanted: Mapping[str, Any], live: Object | None) -> Verdict:
    # What is left of a predecessor of our name is about to be collected; create() waits for that by failing.
    if live is None or left_by_predecessor(wanted, live):
        return Create(resource, wanted)
    if not controlled_by(snapshot.agent.uid, live):
        # What is not watched may be gone by now: create() says what is there.
        return name_conflict(resource.kind, live) if resource == DEPLOYMENTS else Create(resource, wanted)
    if "deletionTimestamp" in live["metadata"]:
        return None
    if (adopt := _adopt(resource, live)) is not None:
        return adopt
    because = first_difference(wanted, live)
    if because is None:
        return None
    by_hand = applied_hash(live) == applied_hash(wanted)
    may_be_rewritten = by_hand and live is snapshot.children.deployment and because.startswith("spec.")
    verdict = snapshot.apply_verdict if may_be_rewritten else None
    known = verdict is not None and verdict.generation == generation_of(live)
    if verdict is not None and known and not verdict.changes:
        return None
    metadata = {**wanted["metadata"], "uid": live["metadata"]["uid"]}
    if live is snapshot.children.deployment and (snapshot.autoscalers.names or "replicas" not in wanted["spec"]):
        # The number that we repeat, or who owns it, is what was read: an autoscaler may have written since.
        metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
    body = {**wanted, "metadata": metadata}
    if may_be_rewritten and not known:
        return TryApply(resource, body)
    return Apply(resource, body, because, by_hand)


def _adopt(resource: Resource, live: Object) -> Adopt | None:
    metadata = live["metadata"]
    for index, entry in enumerate(metadata.get("managedFields") or ()):
        ours = entry.get("manager") == names.FIELD_MANAGER and "subresource" not in entry
        if ours and entry.get("operation") == "Update":
            return Adopt(resource, metadata["namespace"], metadata["name"], metadata["uid"], index)
    return None


def notices(writes: Iterable[Write]) -> tuple[Event, ...]:
    """An event for each child that somebody else has changed."""
    return tuple(
        Event(
            warning=False,
            reason=reasons.REPAIRED,
            message=f"{write.because} of {write.resource.kind} {write.body['metadata']['name']} was changed by "
            "somebody else and is put back: change the AgentDeployment instead",
        )
        for write in writes
        if isinstance(write, Apply) and write.by_hand
    )


def _retired_config_maps(snapshot: Snapshot, wanted: Children) -> Iterator[Delete]:
    """ConfigMaps that no ReplicaSet refers to: a pod that restarts, or an undone rollout, must find its own."""
    live = snapshot.children
    workloads = (live.deployment, *live.replica_sets)
    needed = {name for workload in workloads if workload is not None for name in _mounted(workload)}
    needed.add(wanted.pods.config_map_name)
    for config_map in live.config_maps:
        metadata = config_map["metadata"]
        age_seconds = live.replica_sets_read_at - datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
        settled = age_seconds > REPLICA_SET_GRACE_SECONDS
        if settled and metadata["name"] not in needed and controlled_by(snapshot.agent.uid, config_map):
            yield Delete(CONFIG_MAPS, metadata["namespace"], metadata["name"], metadata["uid"])


def _mounted(workload: Object) -> Iterator[str | None]:
    for volume in workload["spec"]["template"]["spec"].get("volumes") or ():
        if "configMap" in volume:
            yield volume["configMap"].get("name")
