"""The pod template: probes that gate on warmth, the restricted security context, and the user's own settings."""

from typing import Any

from prewarm_operator.api.agentdeployment import AgentContainer
from prewarm_operator.render.agent import Agent

HTTP_PORT = 8080
PROBE_PORT = 8081
CONFIG_FOLDER = "/etc/prewarm"
GRACE_SECONDS = 5
"""Beyond drain delay and drain time-out: closing clients and writing the last logs."""


def pod_spec(agent: Agent, config_map_name: str | None, default_image: str) -> dict[str, Any]:
    """The pod's spec. `config_map_name` is None exactly for a foreign image."""
    foreign = agent.spec.agent.container
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": (
            agent.spec.drain.delay_seconds + agent.spec.drain.timeout_seconds + GRACE_SECONDS
        ),
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_own_container(agent, default_image) if foreign is None else _foreign_container(agent, foreign)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    if config_map_name is not None:
        spec["volumes"].append({"name": "agent", "configMap": {"name": config_map_name}})
    return spec


def _own_container(agent: Agent, default_image: str) -> dict[str, Any]:
    container = _container(agent, agent.spec.image or default_image)
    container["ports"] = [_port("http", HTTP_PORT), _port("probes", PROBE_PORT)]
    container["securityContext"]["readOnlyRootFilesystem"] = True
    container["volumeMounts"].append({"name": "agent", "mountPath": CONFIG_FOLDER, "readOnly": True})
    container["startupProbe"] = _startup_probe(agent, "/warmupz", PROBE_PORT)
    container["readinessProbe"] = _readiness_probe("/readyz", PROBE_PORT)
    container["livenessProbe"] = {
        "httpGet": {"path": "/livez", "port": PROBE_PORT},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": 3,
    }
    return container


def _foreign_container(agent: Agent, foreign: AgentContainer) -> dict[str, Any]:
    probe_port = foreign.effective_probe_port
    container = _container(agent, foreign.image)
    container["ports"] = [_port("http", foreign.port)]
    if probe_port != foreign.port:
        container["ports"].append(_port("probes", probe_port))
    for key, value in (("command", foreign.command), ("args", foreign.args)):
        if value:
            container[key] = list(value)
    container["startupProbe"] = _startup_probe(agent, foreign.warmup_path, probe_port)
    container["readinessProbe"] = _readiness_probe(foreign.effective_readiness_path, probe_port)
    if agent.spec.drain.delay_seconds:
        # A foreign server knows nothing of our drain delay: the kubelet waits in its place, while it still serves.
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": agent.spec.drain.delay_seconds}}}
    return container


def _container(agent: Agent, image: str) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "agent",
        "image": image,
        "env": [entry.model_dump(by_alias=True, exclude_none=True) for entry in agent.spec.env],
        "resources": agent.spec.resources.model_dump(by_alias=True, exclude_none=True),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a path in the pod
        # One sentence of a permanent error is read from here; logs never are.
        "terminationMessagePolicy": "FallbackToLogsOnError" if agent.spec.agent.container else "File",
    }
    if agent.spec.image_pull_policy is not None:
        container["imagePullPolicy"] = agent.spec.image_pull_policy
    return container


def _port(name: str, number: int) -> dict[str, Any]:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _startup_probe(agent: Agent, path: str, port: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": 1,
        "timeoutSeconds": 3,
        "failureThreshold": agent.spec.warmup.timeout_seconds,
    }


def _readiness_probe(path: str, port: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 3}
