"""`kubectl prewarm restart` on a real API server with the controllers of Kubernetes. The test plays kubelet."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from component.operator.command_line import Commands, kubectl
from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]


@contextlib.asynccontextmanager
async def kubelet(namespace: Namespace) -> AsyncIterator[list[int]]:
    """Makes every pod Ready; yields how many Ready pods it has seen, look by look."""
    seen: list[int] = []

    async def work() -> None:
        while True:
            pods = [pod for pod in await namespace.list("pods") if "deletionTimestamp" not in pod["metadata"]]
            seen.append(sum(is_ready(pod) for pod in pods))
            for pod in pods:
                if not is_ready(pod):
                    patch = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
                    with contextlib.suppress(Exception):
                        await namespace.merge("pods", pod["metadata"]["name"], patch, "status")
            await asyncio.sleep(0.1)

    task = asyncio.create_task(work())
    try:
        yield seen
    finally:
        task.cancel()


def is_ready(pod: Agent) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


async def uids(namespace: Namespace) -> set[str]:
    return {
        pod["metadata"]["uid"] for pod in await namespace.list("pods") if "deletionTimestamp" not in pod["metadata"]
    }


async def settled(namespace: Namespace) -> Agent:
    def at_rest(found: Agent) -> bool:
        return any(each["reason"] == "Settled" for each in found.get("status", {}).get("conditions", ()))

    return await namespace.eventually("agentdeployments", "support", at_rest, 30)


async def start(namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)


async def test_restart_waits_until_all_pods_are_new_and_never_has_fewer(
    operator: str, controllers: None, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    async with kubelet(namespace) as seen:
        await start(namespace, agent)
        old, before = await uids(namespace), len(seen)
        told = await commands.text("restart", "support")
        new = await uids(namespace)
    assert told.startswith("support: 3 pods are new, after ")
    assert len(new) == 3
    assert not new & old
    assert min(seen[before:]) >= 3
    found = await namespace.get("agentdeployments", "support")
    owners = {entry["manager"] for entry in found["metadata"]["managedFields"] if "restarted-at" in json.dumps(entry)}
    assert owners == {"prewarm-cli"}
    assert not any(owner.startswith("kubectl") for owner in owners)  # Flux undoes what these have set


async def test_no_wait_returns_at_once(
    operator: str, controllers: None, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    async with kubelet(namespace):
        await start(namespace, agent)
        old = (await namespace.get("agentdeployments", "support"))["status"]["revision"]
        assert await commands.text("restart", "support", "--no-wait") == "support: a restart was asked for\n"
        await namespace.eventually("agentdeployments", "support", lambda found: found["status"]["revision"] != old)


async def test_applying_the_manifest_again_neither_undoes_nor_repeats_a_restart(
    api_server: ControlPlane,
    operator: str,
    controllers: None,
    namespace: Namespace,
    agent: Agent,
    commands: Commands,
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "agent.json"
    manifest.write_text(json.dumps(agent))
    where = ("apply", "--filename", str(manifest), f"--namespace={namespace.name}")
    async with kubelet(namespace):
        await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
        kubectl(api_server, *where)
        await settled(namespace)
        await commands.text("restart", "support")
        new = await uids(namespace)
        kubectl(api_server, *where)
        kubectl(api_server, *where, "--server-side", "--force-conflicts", "--field-manager=argocd-controller")
        kubectl(api_server, "replace", *where[1:])  # takes the annotation away
        await asyncio.sleep(1)
        assert await uids(namespace) == new


async def test_a_restart_that_cannot_end_says_why(
    operator: str, controllers: None, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    async with kubelet(namespace):
        await start(namespace, agent)
    waiting = asyncio.create_task(commands.run("restart", "support"))
    old = await uids(namespace)
    broken = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "model-api" not found'}}
    container = {"name": "agent", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": broken}
    while not waiting.done():
        for pod in await namespace.list("pods"):
            if pod["metadata"]["uid"] not in old:
                name = pod["metadata"]["name"]
                await namespace.merge("pods", name, {"status": {"containerStatuses": [container]}}, "status")
        await asyncio.sleep(0.2)
    done = await waiting
    assert done.returncode == 1
    assert done.stderr.startswith("prewarm restart: the restart is stuck, the old pods go on serving: ")
    assert 'secret "model-api" not found' in done.stderr
