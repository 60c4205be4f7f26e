"""All children of one AgentDeployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prewarm_operator.render import disruption_budget, service, workload
from prewarm_operator.render.agent import Agent
from prewarm_operator.render.template import Template


@dataclass(frozen=True)
class Children:
    """Rendered objects, in the order in which they are written: pods find their ConfigMap, traffic its budget.

    Attributes:
        config_map: None for a foreign image, and where the pods stay on one that only an older operator renders.
        pods: the template that the Deployment carries.
        headroom: what keeps places on nodes free for pods to come.
    """

    config_map: Mapping[str, Any] | None
    service: Mapping[str, Any]
    disruption_budget: Mapping[str, Any]
    deployment: Mapping[str, Any]
    pods: Template
    headroom: tuple[Mapping[str, Any], ...] = ()

    @property
    def revision(self) -> str:
        """The revision label of pods that this Deployment makes."""
        return self.pods.revision


def render(
    agent: Agent,
    replicas: int | None,
    config: Mapping[str, Any] | None,
    pods: Template,
    headroom: tuple[Mapping[str, Any], ...] = (),
) -> Children:
    """The children that `agent` wants.

    Args:
        agent: what they belong to.
        replicas: number of pods, None if somebody else sets it.
        config: the ConfigMap as this operator renders it, None for a foreign image.
        pods: the pod template, rendered now or kept.
        headroom: objects that keep places on nodes free.
    """
    mounted = config is not None and config["metadata"]["name"] == pods.config_map_name
    return Children(
        config_map=config if mounted else None,
        service=service.render(agent),
        disruption_budget=disruption_budget.render(agent),
        deployment=workload.render(agent, replicas, pods),
        pods=pods,
        headroom=headroom,
    )
