"""What the API server was last known to hold, by kind and name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from prewarm_operator.api import names
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
from prewarm_operator.world.trim import Object, same_but_version, trim

EventType = Literal["ADDED", "MODIFIED", "DELETED"] | None
"""As kopf reports it: None for objects of a first listing."""


_NAMED_AS_THE_AGENT = frozenset({AGENT_DEPLOYMENTS, SERVICES, DISRUPTION_BUDGETS})
_SOME_NAMED_AS_THE_AGENT = frozenset({DEPLOYMENTS, POD_TEMPLATES, CAPACITY_BUFFERS})


class Key(NamedTuple):
    """Namespace and name of an AgentDeployment: what the work queue holds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Generation(NamedTuple):
    """One state of a child: whose it is, its metadata.generation, and the hash of what we applied."""

    uid: str
    number: int
    applied_hash: str | None


@dataclass
class Cache:
    """Objects by kind, namespace and name; the children also by the AgentDeployment that they belong to.

    Watches, lists and answers to our own writes overlap, so an object is kept only if it is not older than what is
    known, nor than the deletion of its namesake: a list that was sent before it must not bring the object back.
    """

    _objects: dict[Resource, dict[Key, Object]] = field(default_factory=dict)
    _by_agent: dict[tuple[Resource, Key], set[Key]] = field(default_factory=dict)
    _agents: dict[tuple[Resource, Key], Key] = field(default_factory=dict)
    _removed_at: dict[Resource, dict[Key, int]] = field(default_factory=dict)

    def get(self, resource: Resource, key: Key) -> Object | None:
        """The object, or None."""
        return self._objects.get(resource, {}).get(key)

    def keys(self, resource: Resource) -> frozenset[Key]:
        """Every object of a kind."""
        return frozenset(self._objects.get(resource, {}))

    def belonging_to(self, resource: Resource, agent: Key) -> list[Object]:
        """Objects of a kind that are the agent's (agent_of), by name."""
        objects = self._objects.get(resource, {})
        return [objects[key] for key in sorted(self._by_agent.get((resource, agent), ()))]

    def put(self, resource: Resource, body: Mapping[str, Any]) -> bool:
        """Keep `body` unless something newer is known. Returns whether a decision may see a difference."""
        key = key_of(body)
        known = self.get(resource, key)
        if known is not None and version_of(known) >= version_of(body) and _uid(known) == _uid(body):
            return False
        if version_of(body) < self._removed_at.get(resource, {}).get(key, 0):
            return False
        kept = trim(resource, body)
        if known is not None:
            self._forget_agent(resource, key)
        self._objects.setdefault(resource, {})[key] = kept
        if (agent := self.agent_of(resource, kept)) is not None:
            self._by_agent.setdefault((resource, agent), set()).add(key)
            self._agents[resource, key] = agent
        return known is None or not same_but_version(known, kept)

    def remove(self, resource: Resource, body: Mapping[str, Any]) -> bool:
        """Forget an object unless a newer one of its name is known. Returns whether it was there."""
        key = key_of(body)
        known = self.get(resource, key)
        if known is not None and _uid(known) != _uid(body) and version_of(known) > version_of(body):
            return False
        self._removed_at.setdefault(resource, {})[key] = version_of(body)
        if known is None:
            return False
        self._forget_agent(resource, key)
        del self._objects[resource][key]
        return True

    def replace(self, resource: Resource, bodies: Iterable[Mapping[str, Any]], list_version: int) -> set[Key]:
        """Take over a complete list, made at `list_version`. Returns the agents whose objects differ from before.

        This is how deletions are noticed that a watch has missed.
        """
        bodies = list(bodies)
        touched = {agent for body in bodies if self.put(resource, body) and (agent := self.agent_of(resource, body))}
        listed = {key_of(body) for body in bodies}
        for key in self.keys(resource) - listed:
            known = self._objects[resource][key]
            if version_of(known) <= list_version:
                if (agent := self.agent_of(resource, known)) is not None:
                    touched.add(agent)
                self.remove(resource, known)
        removed = self._removed_at.get(resource, {})
        self._removed_at[resource] = {key: version for key, version in removed.items() if version > list_version}
        return touched

    def agent_of(self, resource: Resource, body: Mapping[str, Any]) -> Key | None:
        """The AgentDeployment that an object is, belongs to or, for an autoscaler, meddles with; None if there is none.

        Whatever a hand has made of its labels: a child goes by its name or its owner, a pod by the ReplicaSet that made
        it. Only a pod whose ReplicaSet is not known, and a ConfigMap without an owner, go by label.
        """
        if resource == PODS and (maker := self.maker_of(body)) is not None:
            return self.agent_of(REPLICA_SETS, maker)
        metadata = body["metadata"]
        if resource in _NAMED_AS_THE_AGENT:
            name = metadata["name"]
        elif resource in _SOME_NAMED_AS_THE_AGENT:
            name = _owner(metadata) or metadata["name"]
        elif resource == AUTOSCALERS:
            target = body["spec"]["scaleTargetRef"]
            name = target["name"] if target["kind"] in (DEPLOYMENTS.kind, AGENT_DEPLOYMENTS.kind) else None
        elif resource == REPLICA_SETS:
            name = (body["spec"]["selector"].get("matchLabels") or {}).get(names.LABEL_AGENT)
        else:
            owner = _owner(metadata) if resource == CONFIG_MAPS else None
            name = owner or (metadata.get("labels") or {}).get(names.LABEL_AGENT)
        return None if name is None else Key(metadata["namespace"], name)

    def last_agent_of(self, resource: Resource, key: Key) -> Key | None:
        """The AgentDeployment that the object of this name belonged to as it was last kept."""
        return self._agents.get((resource, key))

    def maker_of(self, pod: Mapping[str, Any]) -> Object | None:
        """The ReplicaSet that made a pod, if it is known.

        By name, which nobody can change: a pod that no longer matches its ReplicaSet has no owner any more.
        """
        namespace, name = key_of(pod)
        return self.get(REPLICA_SETS, Key(namespace, name.rpartition("-")[0]))

    def _forget_agent(self, resource: Resource, key: Key) -> None:
        agent = self._agents.pop((resource, key), None)
        if agent is not None:
            members = self._by_agent[resource, agent]
            members.discard(key)
            if not members:
                del self._by_agent[resource, agent]


def key_of(body: Mapping[str, Any]) -> Key:
    """Namespace and name of any namespaced object."""
    return Key(body["metadata"]["namespace"], body["metadata"]["name"])


def generation_of(body: Mapping[str, Any]) -> Generation:
    """The state of a child that has a generation."""
    metadata = body["metadata"]
    return Generation(metadata["uid"], metadata["generation"], applied_hash(body))


def applied_hash(child: Mapping[str, Any]) -> str | None:
    """The hash of what was rendered when `child` was applied last."""
    annotations: Mapping[str, str] = child["metadata"].get("annotations") or {}
    return annotations.get(names.ANNOTATION_APPLIED_HASH)


def version_of(body: Mapping[str, Any]) -> int:
    """The resource version as a number: ordered since Kubernetes 1.35 by contract, and by etcd ever since."""
    return int(body["metadata"]["resourceVersion"])


def _owner(metadata: Mapping[str, Any]) -> str | None:
    """The name of the AgentDeployment that controls an object."""
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller") and reference["kind"] == AGENT_DEPLOYMENTS.kind:
            return str(reference["name"])
    return None


def _uid(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["uid"])
