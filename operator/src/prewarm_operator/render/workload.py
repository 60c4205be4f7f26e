"""The Deployment of an agent's own pods."""

from typing import Any

from prewarm_operator.render import meta, template
from prewarm_operator.render.agent import Agent
from prewarm_operator.render.template import Template

REVISION_HISTORY = 3
"""Old ReplicaSets, and with them their ConfigMaps, that stay for `kubectl rollout undo`."""


def render(agent: Agent, replicas: int | None, pods: Template) -> dict[str, Any]:
    """The Deployment. It never goes below its replicas while it rolls; `replicas` is None if somebody else sets it."""
    content = {
        "revisionHistoryLimit": REVISION_HISTORY,
        # Warm-up may take its whole time-out; only then is a rollout stuck.
        "progressDeadlineSeconds": agent.spec.warmup.timeout_seconds + 60,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
        "selector": {"matchLabels": template.selector(agent)},
        "template": pods.body,
    }
    if replicas is not None:
        content["replicas"] = replicas
    return meta.child(agent, "apps/v1", "Deployment", agent.name, {"spec": content}, pods.annotations())
