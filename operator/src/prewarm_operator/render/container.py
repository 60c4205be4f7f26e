"""The container called agent: what it runs, the probes that gate on warmth, its environment and mounts."""

from typing import Any

from prewarm_operator.api.agent import AgentContainer
from prewarm_operator.render.agent import Agent

NAME = "agent"
HTTP_PORT = 8080
PROBE_PORT = 8081
CONFIG_VOLUME = "agent"
CONFIG_FOLDER = "/etc/prewarm"
SCRATCH_VOLUME = "tmp"
API_TOKEN_VARIABLE = "PREWARM_API_TOKEN"  # noqa: S105 - a name

RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""What Pod Security `restricted` asks of every container, beside what the pod says for all of them."""


def render(agent: Agent, default_image: str) -> dict[str, Any]:
    """The container; `default_image` serves where the spec names no image."""
    foreign = agent.spec.agent.container
    return _own(agent, default_image) if foreign is None else _foreign(agent, foreign)


def probe_ports(agent: Agent) -> list[int]:
    """Ports that serve probes and metrics and no user."""
    foreign = agent.spec.agent.container
    if foreign is None:
        return [PROBE_PORT]
    return [foreign.effective_probe_port] if foreign.effective_probe_port != foreign.port else []


def _own(agent: Agent, default_image: str) -> dict[str, Any]:
    container = _common(agent, agent.spec.image or default_image)
    container["ports"] = [_port("http", HTTP_PORT), _port("probes", PROBE_PORT)]
    container["securityContext"]["readOnlyRootFilesystem"] = True
    container["volumeMounts"].append({"name": CONFIG_VOLUME, "mountPath": CONFIG_FOLDER, "readOnly": True})
    container["startupProbe"] = _startup_probe(agent, "/warmupz", PROBE_PORT)
    container["readinessProbe"] = _readiness_probe("/readyz", PROBE_PORT)
    container["livenessProbe"] = {
        "httpGet": {"path": "/livez", "port": PROBE_PORT},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": 3,
    }
    return container


def _foreign(agent: Agent, foreign: AgentContainer) -> dict[str, Any]:
    probe_port = foreign.effective_probe_port
    container = _common(agent, foreign.image)
    container["ports"] = [_port("http", foreign.port), *(_port("probes", port) for port in probe_ports(agent))]
    for key, value in (("command", foreign.command), ("args", foreign.args)):
        if value:
            container[key] = list(value)
    container["startupProbe"] = _startup_probe(agent, foreign.warmup_path, probe_port)
    container["readinessProbe"] = _readiness_probe(foreign.effective_readiness_path, probe_port)
    if agent.spec.drain.delay_seconds:
        # A foreign server knows nothing of our drain delay: the kubelet waits in its place, while it still serves.
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": agent.spec.drain.delay_seconds}}}
    return container


def _common(agent: Agent, image: str) -> dict[str, Any]:
    spec = agent.spec
    container: dict[str, Any] = {
        "name": NAME,
        "image": image,
        "env": _environment(agent),
        "resources": spec.resources.model_dump(exclude_none=True),
        "securityContext": dict(RESTRICTED),
        "volumeMounts": [
            {"name": SCRATCH_VOLUME, "mountPath": "/tmp"},  # noqa: S108 - a path in the pod
            *(mount.model_dump(exclude_none=True) for mount in spec.volume_mounts),
        ],
        # One sentence of a permanent error is read from here; logs never are.
        "terminationMessagePolicy": "FallbackToLogsOnError" if spec.agent.container else "File",
    }
    if spec.env_from:
        container["envFrom"] = [source.model_dump(exclude_none=True) for source in spec.env_from]
    if spec.image_pull_policy is not None:
        container["imagePullPolicy"] = spec.image_pull_policy
    return container


def _environment(agent: Agent) -> list[dict[str, Any]]:
    """Secrets first: other variables may refer to them as $(NAME)."""
    secrets = [(model.env_var, model.api_key_secret_ref) for model in agent.spec.models]
    if agent.spec.auth is not None:
        secrets.append((API_TOKEN_VARIABLE, agent.spec.auth.token_secret_ref))
    keys = [{"name": name, "valueFrom": {"secretKeyRef": ref.model_dump()}} for name, ref in secrets]
    return keys + [entry.model_dump(exclude_none=True) for entry in agent.spec.env]


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
