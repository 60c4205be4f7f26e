"""What a scale-down tells of the pods before it happens; and an operator without node headroom."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from component.operator import audit, capacity_buffers
from component.operator.load_server import LoadServer
from component.operator.namespace import Namespace
from component.operator.test_node_headroom import expecting_more, keeps
from component.operator.test_pods import make_pod, revision
from component.operator.test_scaling import scaling_active, serve

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]


@pytest.fixture
async def busy(operator: str, namespace: Namespace, agent: Agent) -> AsyncIterator[tuple[LoadServer, LoadServer]]:
    """Three Ready pods of which the second and the third tell their load."""
    agent["spec"] |= {"mode": "Observe", "minReplicas": 1, "replicas": 3}
    await namespace.create_object("agentdeployments", agent)
    label = await revision(namespace)
    async with LoadServer.running() as second, LoadServer.running() as third:
        for number, server in enumerate((None, second, third), start=1):
            await make_pod(namespace, f"support-{number}", label)
            if server is not None:
                await serve(namespace, f"support-{number}", server)
        await scaling_active(namespace, "PrewarmScales")
        yield second, third


def cost(pod: dict[str, Any]) -> str | None:
    annotations: dict[str, str] = pod["metadata"].get("annotations") or {}
    return annotations.get("controller.kubernetes.io/pod-deletion-cost")


async def test_the_busy_pod_is_marked_before_the_number_falls_with_one_write_and_none_per_request(
    api_server: ControlPlane, namespace: Namespace, busy: tuple[LoadServer, LoadServer]
) -> None:
    for count in range(1, 8):
        busy[0].tell(in_flight=count)
    pods = [await namespace.get("pods", f"support-{number}") for number in (1, 2, 3)]
    assert [cost(pod) for pod in pods] == [None, None, None]
    busy[0].tell(in_flight=2, queued=1)
    await asyncio.sleep(0.5)
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 1}})
    await namespace.eventually("deployments", "support", keeps(1))
    pods = [await namespace.get("pods", f"support-{number}") for number in (1, 2, 3)]
    assert [cost(pod) for pod in pods] == [None, "3", None]
    written = [write.path for write in audit.writes(api_server, namespace.name) if write.verb == "patch"]
    of_pods = [path for path in written if "/pods/" in path]
    assert [path.rpartition("/")[2] for path in of_pods] == ["support-2"]
    deployments = [path for path in written if path.endswith("/deployments/support")]
    assert written.index(of_pods[0]) < len(written) - 1 - written[::-1].index(deployments[-1])


async def test_an_operator_without_headroom_makes_nothing(operator: str, namespace: Namespace, agent: Agent) -> None:
    async with capacity_buffers.served(namespace):
        await namespace.create_object("agentdeployments", expecting_more(agent))
        await scaling_active(namespace, "LoadUnknown")
        assert await namespace.list("capacitybuffers") == []
        assert [each["metadata"]["name"] for each in await namespace.list("deployments")] == ["support"]
