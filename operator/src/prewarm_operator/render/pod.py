"""The pod template: the agent's container, where and as whom it runs, and the user's overlay over all of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from prewarm_operator.api import names
from prewarm_operator.render import container, gate, overlay
from prewarm_operator.render.agent import Agent

GRACE_SECONDS = 5
"""Beyond drain delay and drain time-out: closing clients and writing the last logs."""


def template(
    agent: Agent, labels: Mapping[str, str], config_map_name: str | None, default_image: str
) -> dict[str, Any]:
    """The template of the agent's pods.

    Args:
        agent: what is to run.
        labels: by what Prewarm finds the pods; nothing that a user sets wins over them.
        config_map_name: carries the agent spec; None exactly for a foreign image.
        default_image: the image where the spec names none.
    """
    spec = agent.spec
    rendered = {
        "metadata": {
            "labels": {**(spec.pod_labels or {}), **labels},
            "annotations": {**_annotations(agent), **(spec.pod_annotations or {})},
        },
        "spec": _pod_spec(agent, config_map_name, default_image),
    }
    if spec.pod_template is None:
        return rendered
    patch = spec.pod_template.model_dump(exclude_none=True)
    return gate.keep(overlay.merge(rendered, patch), rendered, labels)


def _pod_spec(agent: Agent, config_map_name: str | None, default_image: str) -> dict[str, Any]:
    settings = agent.spec
    spec: dict[str, Any] = {
        "automountServiceAccountToken": settings.automount_service_account_token,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": settings.drain.delay_seconds + settings.drain.timeout_seconds + GRACE_SECONDS,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container.render(agent, default_image)],
        "volumes": [{"name": container.SCRATCH_VOLUME, "emptyDir": {}}],
    }
    if config_map_name is not None:
        spec["volumes"].append({"name": container.CONFIG_VOLUME, "configMap": {"name": config_map_name}})
    spec["volumes"] += settings.volumes
    as_written = {
        "imagePullSecrets": _dump(settings.image_pull_secrets),
        "serviceAccountName": settings.service_account_name,
        "nodeSelector": settings.node_selector,
        "tolerations": _dump(settings.tolerations),
        "affinity": settings.affinity,
        "topologySpreadConstraints": _spread(agent),
        "priorityClassName": settings.priority_class_name,
    }
    return spec | {field: value for field, value in as_written.items() if value}


def _spread(agent: Agent) -> list[dict[str, Any]]:
    """A constraint without a selector counts no pods at all and so spreads nothing: it means our own."""
    own_pods = {"labelSelector": {"matchLabels": {names.LABEL_AGENT: agent.name}}}
    return [own_pods | constraint for constraint in _dump(agent.spec.topology_spread_constraints)]


def _annotations(agent: Agent) -> dict[str, str]:
    annotations = {
        # kubectl logs and exec mean the agent, whatever stands beside it.
        "kubectl.kubernetes.io/default-container": container.NAME,
        # A disk emptyDir keeps cluster-autoscaler from ever emptying the node; nobody misses what is in this one.
        "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": container.SCRATCH_VOLUME,
    }
    ports = ",".join(str(port) for port in container.probe_ports(agent))
    if ports:
        # Probes and metrics come from outside the mesh.
        annotations["traffic.sidecar.istio.io/excludeInboundPorts"] = ports
    return annotations


def _dump(models: Sequence[BaseModel]) -> list[dict[str, Any]]:
    return [model.model_dump(exclude_none=True) for model in models]
