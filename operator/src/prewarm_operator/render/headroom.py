"""What keeps places on nodes free for pods to come: a CapacityBuffer, or pods that give way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.kube.resources import CAPACITY_BUFFERS
from prewarm_operator.render import container, meta
from prewarm_operator.render.agent import Agent
from prewarm_operator.render.template import Template

COMPONENT = "headroom"

_PLACEMENT = (
    "affinity",
    "nodeSelector",
    "overhead",
    "resourceClaims",
    "resources",
    "runtimeClassName",
    "schedulerName",
    "tolerations",
    "topologySpreadConstraints",
)
"""Of a pod, beside its containers' resources: what decides which node takes it."""


@dataclass(frozen=True)
class Placeholders:
    """What pods are made of that only hold a place.

    Attributes:
        image: does nothing until it is told to stop, under any user but root.
        priority_class: a PriorityClass below that of all other pods, so that any of them may take the place.
    """

    image: str = ""
    priority_class: str = ""


NO_PLACEHOLDERS = Placeholders()


def name(agent_name: str) -> str:
    """Of all these objects."""
    return f"{agent_name}-headroom"


def capacity_buffer(agent: Agent, places: int, pods: Template) -> tuple[dict[str, Any], dict[str, Any]]:
    """A PodTemplate, which is the agent's own, and a CapacityBuffer of `places` such pods.

    Not the AgentDeployment itself as scalableRef: Karpenter takes only Deployments and their like for one.
    """
    common = (name(agent.name),)
    template = meta.child(agent, "v1", "PodTemplate", *common, {"template": pods.body}, component=COMPONENT)
    spec = {"podTemplateRef": {"name": template["metadata"]["name"]}, "replicas": places}
    buffer = meta.child(
        agent, CAPACITY_BUFFERS.api_version, CAPACITY_BUFFERS.kind, *common, {"spec": spec}, component=COMPONENT
    )
    return template, buffer


def placeholders(agent: Agent, places: int, pods: Template, of: Placeholders) -> dict[str, Any]:
    """A Deployment of `places` pods which ask for what the agent's pods ask for and give way to any other pod.

    Init containers that end before the others start are left out: where they ask for more, a place is smaller than the
    pod. The label by which the agent's Service finds its pods is not on them.
    """
    labels = {
        "app.kubernetes.io/name": "prewarm-headroom",
        "app.kubernetes.io/instance": agent.name,
        "app.kubernetes.io/managed-by": names.MANAGED_BY,
    }
    spec = {
        "replicas": places,
        "revisionHistoryLimit": 0,
        # New places beside old ones would ask for twice the nodes.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
            },
            "spec": _placeholder_pod(pods.body["spec"], of),
        },
    }
    return meta.child(agent, "apps/v1", "Deployment", name(agent.name), {"spec": spec}, component=COMPONENT)


def _placeholder_pod(agents: Mapping[str, Any], of: Placeholders) -> dict[str, Any]:
    sidecars = [each for each in agents.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    containers = [
        {
            "name": f"place-{number}",
            "image": of.image,
            "resources": each.get("resources") or {},
            "securityContext": {**container.RESTRICTED, "readOnlyRootFilesystem": True},
        }
        for number, each in enumerate([*agents["containers"], *sidecars])
    ]
    placement = {field: agents[field] for field in _PLACEMENT if agents.get(field)}
    return placement | {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": of.priority_class,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": containers,
    }
