"""Which children to create, apply or delete."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.drift import first_difference
from prewarm_operator.decide.plan import Adopt, Apply, Create, Delete, Problem, Write
from prewarm_operator.kube.resources import CONFIG_MAPS, DEPLOYMENTS, DISRUPTION_BUDGETS, SERVICES, Resource
from prewarm_operator.render.children import Children
from prewarm_operator.world.snapshot import LiveChildren, Object, Snapshot

Verdict = Write | Problem | None

REPLICA_SET_GRACE_SECONDS = 60.0
"""A ReplicaSet is made seconds after its ConfigMap. A ConfigMap that was this old when ReplicaSets were listed, and
that none of them mounts, will never be mounted."""


def decide_children(snapshot: Snapshot, wanted: Children) -> tuple[tuple[Write, ...], tuple[Problem, ...]]:
    """The writes that make the live children what is wanted, and what stands in the way."""
    verdicts = [_child(snapshot.agent.uid, *pair) for pair in _pairs(snapshot.children, wanted)]
    writes = [verdict for verdict in verdicts if isinstance(verdict, Create | Adopt | Apply)]
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


def _child(owner_uid: str, resource: Resource, wanted: Mapping[str, Any], live: Object | None) -> Verdict:
    # What is left of a predecessor of our name is about to be collected; create() waits for that by failing.
    if live is None or left_by_predecessor(wanted, live):
        return Create(resource, wanted)
    if not controlled_by(owner_uid, live):
        return name_conflict(resource.kind, wanted["metadata"]["name"])
    if "deletionTimestamp" in live["metadata"]:
        return None
    if (adopt := _adopt(resource, live)) is not None:
        return adopt
    because = first_difference(wanted, live)
    if because is None:
        return None
    metadata = {**wanted["metadata"], "uid": live["metadata"]["uid"]}
    return Apply(resource, {**wanted, "metadata": metadata}, because)


def _adopt(resource: Resource, live: Object) -> Adopt | None:
    metadata = live["metadata"]
    for index, entry in enumerate(metadata.get("managedFields") or ()):
        ours = entry.get("manager") == names.FIELD_MANAGER and "subresource" not in entry
        if ours and entry.get("operation") == "Update":
            return Adopt(resource, metadata["namespace"], metadata["name"], metadata["uid"], index)
    return None


def controlled_by(owner_uid: str, live: Object) -> bool:
    """Whether the object's controller is the AgentDeployment of that uid."""
    references: Iterable[Mapping[str, Any]] = live["metadata"].get("ownerReferences") or ()
    return any(reference.get("controller") and reference["uid"] == owner_uid for reference in references)


def left_by_predecessor(wanted: Object, live: Object) -> bool:
    """Whether the object's controller was an AgentDeployment of our name that has been deleted since."""
    owner = wanted["metadata"]["ownerReferences"][0]
    references: Iterable[Mapping[str, Any]] = live["metadata"].get("ownerReferences") or ()
    return any(
        reference.get("controller")
        and (reference["kind"], reference["name"]) == (owner["kind"], owner["name"])
        and reference["uid"] != owner["uid"]
        for reference in references
    )


def name_conflict(kind: str, name: str) -> Problem:
    """Somebody else's object has a child's name."""
    return Problem(
        reasons.NAME_CONFLICT,
        f"{kind} {name} exists and is not this AgentDeployment's: delete it, or give the AgentDeployment another name",
    )


def _retired_config_maps(snapshot: Snapshot, wanted: Children) -> Iterator[Delete]:
    """ConfigMaps that no ReplicaSet refers to: a pod that restarts, or an undone rollout, must find its own."""
    live = snapshot.children
    needed = {name for replica_set in live.replica_sets for name in _mounted(replica_set)}
    if wanted.config_map is not None:
        needed.add(wanted.config_map["metadata"]["name"])
    if live.deployment is not None:
        needed |= set(_mounted(live.deployment))
    for config_map in live.config_maps:
        metadata = config_map["metadata"]
        age_seconds = live.replica_sets_read_at - datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
        settled = age_seconds > REPLICA_SET_GRACE_SECONDS
        if settled and metadata["name"] not in needed and controlled_by(snapshot.agent.uid, config_map):
            yield Delete(CONFIG_MAPS, metadata["namespace"], metadata["name"], metadata["uid"])


def _mounted(workload: Object) -> Iterator[str]:
    for volume in workload["spec"]["template"]["spec"].get("volumes") or ():
        if "configMap" in volume:
            yield volume["configMap"]["name"]
