"""The Service that users call."""

from typing import Any

from prewarm_operator.api import names
from prewarm_operator.render import meta
from prewarm_operator.render.agent import Agent


def render(agent: Agent) -> dict[str, Any]:
    """One port, to the pod's port `http`. The selector is the agent label alone, so that a pod joins by one label."""
    settings = agent.spec.service
    spec = {
        "type": settings.type,
        "selector": {names.LABEL_AGENT: agent.name},
        "ports": [{"name": "http", "port": settings.port, "targetPort": "http", "protocol": "TCP"}],
    }
    return meta.child(agent, "v1", "Service", agent.name, {"spec": spec}, settings.annotations or {})
