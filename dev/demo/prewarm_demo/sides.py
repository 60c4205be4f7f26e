"""The two ways to serve the same agent: by Prewarm, and by the pattern users come from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import Pod
from prewarm_demo.install import MANIFESTS, NAMESPACE
from prewarm_demo.trial.side import Event, Side

EXAMPLE = "examples/support-agent.yaml"
NEW_SYSTEM_MESSAGE = "You are a friendly support agent. Answer in one short paragraph and ask whether that helped."
IN_NAMESPACE = f"--namespace={NAMESPACE}"
SCALE, CHANGE, DELETE = "scale from 2 to 5", "a new system message", "delete a pod"


def prewarm(commands: Commands) -> Side:
    """The AgentDeployment of the README, changed as its users change it."""
    agent = "agentdeployment/support"

    async def start() -> None:
        await commands.kubectl("apply", f"--filename={EXAMPLE}", IN_NAMESPACE)
        await commands.kubectl("wait", "--for=condition=Ready", agent, IN_NAMESPACE, "--timeout=120s")
        await commands.kubectl("get", "pwad,pods", IN_NAMESPACE)

    async def settle() -> None:
        generation = await commands.kubectl(
            "get", agent, IN_NAMESPACE, "-o=jsonpath={.metadata.generation}", shown=False
        )
        observed = f"--for=jsonpath={{.status.observedGeneration}}={generation}"
        await commands.kubectl("wait", observed, agent, IN_NAMESPACE, "--timeout=60s")
        await _settle(commands, "support")

    async def scale(_: Sequence[Pod]) -> None:
        await commands.kubectl("scale", agent, IN_NAMESPACE, "--replicas=5")
        await settle()

    async def change(_: Sequence[Pod]) -> None:
        config = {"system_message": NEW_SYSTEM_MESSAGE}
        patch = json.dumps({"spec": {"agent": {"component": {"config": config}}}})
        await commands.kubectl("patch", agent, IN_NAMESPACE, "--type=merge", f"--patch={patch}")
        await settle()

    return Side(
        name="Prewarm",
        slug="prewarm",
        url="http://support/v1/chat/completions",
        selector="prewarm.dev/agent=support",
        start=start,
        events=(Event(SCALE, scale), Event(CHANGE, change), _deletion(commands, "support")),
    )


def naive(commands: Commands) -> Side:
    """Client and agent built in the handler, a plain Deployment, a TCP check."""
    deployment = "deployment/naive"

    async def start() -> None:
        await commands.kubectl("apply", f"--filename={MANIFESTS}/naive.yaml", IN_NAMESPACE)
        await _settle(commands, "naive")
        await commands.kubectl("get", "deployments,pods", "--selector=app=naive", IN_NAMESPACE)

    async def scale(_: Sequence[Pod]) -> None:
        await commands.kubectl("scale", deployment, IN_NAMESPACE, "--replicas=5")
        await _settle(commands, "naive")

    async def change(_: Sequence[Pod]) -> None:
        await commands.kubectl("set", "env", deployment, f"SYSTEM_MESSAGE={NEW_SYSTEM_MESSAGE}", IN_NAMESPACE)
        await _settle(commands, "naive")

    return Side(
        name="built in the handler",
        slug="naive",
        url="http://naive/v1/chat/completions",
        selector="app=naive",
        start=start,
        events=(Event(SCALE, scale), Event(CHANGE, change), _deletion(commands, "naive")),
    )


def _deletion(commands: Commands, deployment: str) -> Event:
    async def delete(serving: Sequence[Pod]) -> None:
        await commands.kubectl("delete", "pod", serving[0].name, IN_NAMESPACE)
        await _settle(commands, deployment)

    return Event(DELETE, delete)


async def _settle(commands: Commands, deployment: str) -> None:
    await commands.kubectl("rollout", "status", f"deployment/{deployment}", IN_NAMESPACE, "--timeout=120s")
