"""Where pods go and whether they are made: the real scheduler and controllers, and Nodes that are only objects."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from component.operator.controllers import running, running_controllers
from component.operator.namespace import Namespace, condition

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
Object = dict[str, Any]

GPU_TAINT = {"key": "nvidia.com/gpu", "effect": "NoSchedule"}
GPU_TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture(scope="module", autouse=True)
def kubernetes(api_server: ControlPlane) -> Iterator[None]:
    with running_controllers(api_server), running(api_server, "kube-scheduler"):
        yield


async def make_node(
    http: httpx.AsyncClient, name: str, labels: dict[str, str], taints: list[Object], gpus: int
) -> None:
    """A Node that says it is ready and can run pods; there is no machine."""
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": name[-1], **labels}
    (await http.post("/api/v1/nodes", json={"metadata": {"name": name, "labels": labels}})).raise_for_status()
    amount = {"cpu": "4", "memory": "8Gi", "pods": "20", "nvidia.com/gpu": str(gpus)}
    status = {"capacity": amount, "allocatable": amount, "conditions": [{"type": "Ready", "status": "True"}]}
    for path, body in (("/status", {"status": status}), ("", {"spec": {"taints": taints}})):
        (await http.patch(f"/api/v1/nodes/{name}{path}", json=body, headers=MERGE)).raise_for_status()


@pytest.fixture(autouse=True)
async def nodes(namespace: Namespace) -> None:
    """Two plain nodes, a tainted one with a GPU, and one of another architecture; the same for all tests."""
    if (await namespace.http.get("/api/v1/nodes/plain-a")).status_code == 200:
        return
    amd, arm = {"kubernetes.io/arch": "amd64"}, {"kubernetes.io/arch": "arm64"}
    await make_node(namespace.http, "plain-a", amd | {"pool": "plain"}, [], 0)
    await make_node(namespace.http, "plain-b", amd | {"pool": "plain"}, [], 0)
    await make_node(namespace.http, "gpu-a", amd | {"pool": "gpu"}, [GPU_TAINT], 1)
    await make_node(namespace.http, "arm-b", arm | {"pool": "arm"}, [], 0)


async def places(namespace: Namespace, count: int) -> list[str]:
    """The nodes that the scheduler has chosen for the pods, once there are `count`."""
    async with asyncio.timeout(20):
        while True:
            chosen = [pod["spec"].get("nodeName") for pod in await namespace.list("pods")]
            if len(chosen) >= count and all(chosen):
                return sorted(chosen)
            await asyncio.sleep(0.1)


async def test_pods_go_to_the_node_pool_that_was_chosen(operator: str, namespace: Namespace, agent: Agent) -> None:
    agent["spec"]["nodeSelector"] = {"pool": "arm", "kubernetes.io/arch": "arm64"}
    await namespace.create_object("agentdeployments", agent)
    assert await places(namespace, 3) == ["arm-b"] * 3


async def test_pods_are_spread_over_zones_as_was_asked(operator: str, namespace: Namespace, agent: Agent) -> None:
    spread = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    agent["spec"] |= {"replicas": 4, "nodeSelector": {"pool": "plain"}, "topologySpreadConstraints": [spread]}
    await namespace.create_object("agentdeployments", agent)
    assert await places(namespace, 4) == ["plain-a", "plain-a", "plain-b", "plain-b"]


async def test_a_pod_with_a_gpu_goes_to_the_tainted_node_and_the_next_one_tells_that_none_is_left(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"] |= {"replicas": 1, "minReplicas": 1, "tolerations": [GPU_TOLERATION]}
    agent["spec"]["resources"] = {"limits": {"nvidia.com/gpu": 1}}
    await namespace.create_object("agentdeployments", agent)
    assert await places(namespace, 1) == ["gpu-a"]
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 2}}, "scale")
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Warm").get("reason") == "Unschedulable"
    )
    assert "Insufficient nvidia.com/gpu" in condition(found, "Warm")["message"]
    await namespace.delete("agentdeployments", "support")


async def test_two_agents_in_the_hosts_network_do_not_share_a_node_and_the_second_tells_why(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"] |= {"replicas": 2, "nodeSelector": {"pool": "arm"}, "podTemplate": {"spec": {"hostNetwork": True}}}
    await namespace.create_object("agentdeployments", agent)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Warm").get("reason") == "Unschedulable"
    )
    assert "free ports" in condition(found, "Warm")["message"]


async def test_a_quota_that_ends_while_pods_are_added_is_told_and_what_fits_is_made(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    quota = {"metadata": {"name": "quota"}, "spec": {"hard": {"requests.cpu": "2500m"}}}
    path = f"/api/v1/namespaces/{namespace.name}/resourcequotas"
    (await namespace.http.post(path, json=quota)).raise_for_status()
    agent["spec"]["resources"] = {"requests": {"cpu": "1"}}
    await namespace.create_object("agentdeployments", agent)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Warm").get("reason") == "PodRefused", seconds=20
    )
    assert "exceeded quota: quota, requested: requests.cpu=1" in condition(found, "Warm")["message"]
    assert len(await namespace.list("pods")) == 2

    larger = {"spec": {"hard": {"requests.cpu": "3"}}}
    (await namespace.http.patch(f"{path}/quota", json=larger, headers=MERGE)).raise_for_status()
    await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Warm").get("reason") != "PodRefused", seconds=30
    )
    assert len(await places(namespace, 3)) == 3


async def test_sidecars_and_init_containers_reach_the_pods(operator: str, namespace: Namespace, agent: Agent) -> None:
    agent["spec"]["podTemplate"] = {
        "spec": {
            "initContainers": [{"name": "mesh", "image": "example.com/mesh:1", "restartPolicy": "Always"}],
            "containers": [{"name": "login", "image": "example.com/login:1"}],
        }
    }
    await namespace.create_object("agentdeployments", agent)
    await places(namespace, 3)
    for pod in await namespace.list("pods"):
        assert {container["name"] for container in pod["spec"]["containers"]} == {"agent", "login"}
        assert [container["name"] for container in pod["spec"]["initContainers"]] == ["mesh"]
        assert pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "agent"
