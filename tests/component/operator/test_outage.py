"""The API server goes away and comes back."""

import asyncio
from typing import Any

import httpx
from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]


async def test_an_operator_waits_for_a_killed_api_server_and_resumes(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await namespace.eventually("deployments", "support", lambda _: True)
    api_server.kill_api_server()
    async with httpx.AsyncClient() as http:
        for _ in range(8):
            await asyncio.sleep(1)
            assert (await http.get(f"{operator}/livez")).status_code == 200
    api_server.start_api_server()
    await asyncio.to_thread(api_server.wait_ready)
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 5}}, "scale")
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 5, seconds=30)
