"""All children of one AgentDeployment."""

from dataclasses import dataclass
from typing import Any

from prewarm_operator.render import config_map, disruption_budget, service, workload
from prewarm_operator.render.agent import Agent


@dataclass(frozen=True)
class Children:
    """Rendered objects, in the order in which they are written: pods find their ConfigMap, traffic its budget."""

    config_map: dict[str, Any] | None
    service: dict[str, Any]
    disruption_budget: dict[str, Any]
    deployment: dict[str, Any]

    @property
    def revision(self) -> str:
        """The revision label of pods that this Deployment makes."""
        return workload.revision_of(self.deployment)

    def in_write_order(self) -> tuple[dict[str, Any], ...]:
        """Every child once."""
        rest = (self.service, self.disruption_budget, self.deployment)
        return rest if self.config_map is None else (self.config_map, *rest)


def render(agent: Agent, replicas: int, default_image: str) -> Children:
    """The children that `agent` wants at `replicas` pods; `default_image` serves where its spec names no image."""
    config = config_map.render(agent)
    config_name = None if config is None else config["metadata"]["name"]
    return Children(
        config_map=config,
        service=service.render(agent),
        disruption_budget=disruption_budget.render(agent),
        deployment=workload.render(agent, replicas, config_name, default_image),
    )
