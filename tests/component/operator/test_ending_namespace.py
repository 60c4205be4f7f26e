"""A namespace that is being deleted refuses every object that is to be made in it."""

import asyncio
from typing import Any

import pytest
from component.operator.audit import Write, writes
from component.operator.conftest import running
from component.operator.controllers import kubectl, running_controllers
from component.operator.namespace import Namespace, condition, settled

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]


def refused(api_server: ControlPlane, namespace: Namespace) -> list[Write]:
    """What the operator was refused with 403."""
    return [write for write in writes(api_server, namespace.name) if write.code == 403]


async def test_in_a_namespace_that_ends_nothing_is_made_again_and_nothing_is_told(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(api_server):
        await namespace.create_object("agentdeployments", agent)
        await settled(namespace)
        await namespace.eventually("agentdeployments", "support", lambda found: "status" in found)
        # Nobody empties the namespace here, so the AgentDeployment outlives its child.
        (await namespace.http.delete(f"/api/v1/namespaces/{namespace.name}")).raise_for_status()
        capfd.readouterr()
        await namespace.delete("deployments", "support")
        await asyncio.sleep(3)
        found = await namespace.get("agentdeployments", "support")
    assert condition(found, "Ready")["reason"] == "BelowMinimum"
    logged = capfd.readouterr().err
    assert [word for word in ("WARNING", "ERROR", "ChildRefused") if word in logged] == []
    assert 1 <= len(refused(api_server, namespace)) <= 2


async def test_a_namespace_that_ends_meets_no_storm_and_is_gone(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, capfd: pytest.CaptureFixture[str]
) -> None:
    with running_controllers(api_server), running(api_server):
        for number in range(3):
            await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": f"agent-{number}"}})
        async with asyncio.timeout(10):
            while len(await namespace.list("pods")) < 9:
                await asyncio.sleep(0.05)
        capfd.readouterr()
        kubectl(api_server, namespace, "delete", "namespace", namespace.name, "--timeout=30s")
        await asyncio.sleep(2)
    logged = capfd.readouterr().err
    assert "crashed" not in logged
    assert "ERROR" not in logged
    assert "reconcile failed" not in logged
    assert len(refused(api_server, namespace)) <= 3 * 12
