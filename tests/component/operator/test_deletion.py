"""Agents and children are deleted, in every order and way: with the real controllers of Kubernetes, without nodes."""

import asyncio
from typing import Any

import pytest
from component.operator.audit import writes
from component.operator.controllers import kubectl, pods_of, rolled_out
from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]


@pytest.mark.parametrize("how", ["background", "foreground", "orphan"])
async def test_an_agent_that_is_deleted_in_any_way_is_not_made_again(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent, how: str
) -> None:
    before = await rolled_out(namespace, agent)
    kubectl(api_server, namespace, "delete", "agentdeployment", "support", f"--cascade={how}", "--timeout=20s")
    await asyncio.sleep(1)
    made = [write for write in writes(api_server, namespace.name) if write.verb == "create"]
    assert len([write for write in made if write.path.endswith("/deployments")]) == 1
    left = await namespace.list("deployments")
    if how == "orphan":
        assert [each["metadata"]["uid"] for each in left] == [before["metadata"]["uid"]]
        assert len(await pods_of(namespace)) == 3
    else:
        async with asyncio.timeout(10):
            while await namespace.list("deployments") or await pods_of(namespace) or await namespace.list("services"):
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["background", "foreground", "orphan"])
async def test_a_deployment_that_is_deleted_in_any_way_is_made_again(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent, how: str
) -> None:
    before = await rolled_out(namespace, agent)
    pods = set(await pods_of(namespace))
    kubectl(api_server, namespace, "delete", "deployment", "support", f"--cascade={how}", "--timeout=20s")
    await namespace.eventually(
        "deployments", "support", lambda found: found["metadata"]["uid"] != before["metadata"]["uid"]
    )
    await rolled_out(namespace, agent)
    if how == "orphan":
        assert set(await pods_of(namespace)) == pods  # the new Deployment takes the ReplicaSet over as it is


async def test_child_and_parent_that_are_deleted_together_stay_deleted(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await rolled_out(namespace, agent)
    await asyncio.gather(namespace.delete("deployments", "support"), namespace.delete("agentdeployments", "support"))
    async with asyncio.timeout(10):
        while await namespace.list("deployments") or await namespace.list("services"):
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    assert await namespace.list("deployments") == []


async def test_children_have_no_finalizers(
    operator: str, controllers: None, namespace: Namespace, agent: Agent
) -> None:
    await rolled_out(namespace, agent)
    for plural in ("agentdeployments", "deployments", "services", "poddisruptionbudgets", "configmaps"):
        assert all("finalizers" not in item["metadata"] for item in await namespace.list(plural))
