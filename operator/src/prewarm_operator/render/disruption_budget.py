"""The PodDisruptionBudget of an agent's pods."""

from typing import Any

from prewarm_operator.api import names
from prewarm_operator.render import meta
from prewarm_operator.render.agent import Agent


def render(agent: Agent) -> dict[str, Any]:
    """An integer minAvailable: maxUnavailable and percentages count the owners' scale subresources, which goes wrong
    as soon as pods have different owners. One below the floor, so that a budget of one replica never blocks a drain.
    """
    spec = {
        "minAvailable": max(0, agent.spec.min_replicas - 1),
        "selector": {"matchLabels": {names.LABEL_AGENT: agent.name}},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return meta.child(agent, "policy/v1", "PodDisruptionBudget", agent.name, {"spec": spec})
