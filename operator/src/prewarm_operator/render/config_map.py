"""The ConfigMap that carries the agent spec into the pod (contract: docs/design/0001, section 2)."""

import json
from typing import Any

from prewarm_operator.render import meta
from prewarm_operator.render.agent import Agent


def agent_spec(agent: Agent) -> dict[str, Any] | None:
    """What the runtime reads as agent.json, or None for a foreign image, which gets no ConfigMap."""
    spec = agent.spec
    if spec.agent.container is not None:
        return None
    program: dict[str, Any]
    if spec.agent.component is not None:
        program = {"component": spec.agent.component}
    else:
        program = {"entrypoint": spec.agent.entrypoint}
        if spec.agent.config is not None:
            program["config"] = spec.agent.config
    warmup: dict[str, Any] = {"mode": spec.warmup.mode, "timeoutSeconds": spec.warmup.timeout_seconds}
    # What is not asked for is left out: an image of an earlier version refuses keys that it does not know.
    if spec.warmup.required:
        warmup["required"] = True
    security = {"security": {"allowCode": True}} if spec.security and spec.security.allow_code else {}
    return {
        "name": agent.name,
        "agent": program,
        "warmup": warmup,
        **security,
        "concurrencyLimit": spec.concurrency_limit,
        "drain": {"delaySeconds": spec.drain.delay_seconds, "timeoutSeconds": spec.drain.timeout_seconds},
    }


def render(agent: Agent) -> dict[str, Any] | None:
    """The ConfigMap, named by its content: a changed spec is a new ConfigMap, so that pods of the old revision
    can still restart with theirs, and so that the change rolls."""
    spec = agent_spec(agent)
    if spec is None:
        return None
    text = json.dumps(spec, indent=2, sort_keys=True, ensure_ascii=False)
    name = f"{agent.name}-{meta.content_hash(spec)}"
    return meta.child(agent, "v1", "ConfigMap", name, {"immutable": True, "data": {"agent.json": text}})
