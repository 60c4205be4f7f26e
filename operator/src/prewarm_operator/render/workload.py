"""The Deployment of an agent's own pods."""

from typing import Any

from prewarm_operator.api import names
from prewarm_operator.render import meta, pod
from prewarm_operator.render.agent import Agent

REVISION_HISTORY = 3
"""Old ReplicaSets, and with them their ConfigMaps, that stay for `kubectl rollout undo`."""


def render(agent: Agent, replicas: int, config_map_name: str | None, default_image: str) -> dict[str, Any]:
    """The Deployment. It never goes below its replicas while it rolls, and its selector leaves out claimed pods."""
    spec = pod.pod_spec(agent, config_map_name, default_image)
    selector = {names.LABEL_AGENT: agent.name, names.LABEL_ORIGIN: names.ORIGIN_OWN}
    revision = {names.LABEL_REVISION: meta.content_hash(spec)}
    content = {
        "replicas": replicas,
        "revisionHistoryLimit": REVISION_HISTORY,
        # Warm-up may take its whole time-out; only then is a rollout stuck.
        "progressDeadlineSeconds": agent.spec.warmup.timeout_seconds + 60,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
        "selector": {"matchLabels": selector},
        "template": {
            "metadata": {"labels": meta.child_labels(agent.name) | selector | revision},
            "spec": spec,
        },
    }
    return meta.child(agent, "apps/v1", "Deployment", agent.name, {"spec": content})


def revision_of(deployment: dict[str, Any]) -> str:
    """The revision label that pods of this rendered Deployment carry."""
    return str(deployment["spec"]["template"]["metadata"]["labels"][names.LABEL_REVISION])
