"""Mode Auto from a pod's load stream to the child Deployment. The test plays kubelet and pod."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from component.operator.load_server import LoadServer
from component.operator.namespace import Namespace, condition
from component.operator.test_pods import make_pod, revision

Agent = dict[str, Any]


@pytest.fixture
async def pod(operator: str, namespace: Namespace, agent: Agent) -> AsyncIterator[LoadServer]:
    """The one Ready pod of an agent in mode Auto."""
    agent["spec"] |= {
        "mode": "Auto",
        "minReplicas": 1,
        "maxReplicas": 8,
        "concurrencyLimit": 10,
        "targetConcurrency": 10,
    }
    async with scaled_with_one_pod(namespace, agent) as server:
        yield server


@asynccontextmanager
async def scaled_with_one_pod(namespace: Namespace, agent: Agent) -> AsyncIterator[LoadServer]:
    """Create an agent in mode Auto, and its one Ready pod, whose load is known."""
    await namespace.create_object("agentdeployments", agent)
    async with LoadServer.running() as server:
        await make_pod(namespace, "support-1", await revision(namespace))
        await serve(namespace, "support-1", server)
        await scaling_active(namespace, "PrewarmScales")
        yield server


async def serve(namespace: Namespace, name: str, server: LoadServer, *, ready: bool = True) -> None:
    conditions = [{"type": "Ready", "status": str(ready)}]
    status = {"podIP": server.address, "podIPs": [{"ip": server.address}], "conditions": conditions}
    await namespace.merge("pods", name, {"status": {"phase": "Running", **status}}, "status")


async def replicas(namespace: Namespace, count: int, most: int | None = None) -> Agent:
    """The child once it has that many; up to `most` where a forecast may be made meanwhile, which asks for more."""
    wanted = range(count, (most or count) + 1)
    return await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] in wanted)


async def scaling_active(namespace: Namespace, reason: str, seconds: float = 20.0) -> Agent:
    return await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "ScalingActive").get("reason") == reason, seconds
    )


async def test_a_burst_in_a_stream_has_its_pods_asked_for_within_a_second(
    namespace: Namespace, pod: LoadServer
) -> None:
    await replicas(namespace, 1)
    began = time.monotonic()
    pod.tell(in_flight=10, queued=4, refused=14)
    await replicas(namespace, 3, most=5)
    assert time.monotonic() - began < 1
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: found["status"]["desiredReplicas"] >= 3
    )
    reactive = found["status"]["scaling"]["terms"][0]
    assert (reactive["name"], reactive["replicas"], reactive["reason"]) == ("reactive", 3, "LoadNow")


async def test_a_pod_that_falls_silent_takes_no_pod_away(namespace: Namespace, pod: LoadServer) -> None:
    pod.tell(in_flight=10, refused=18)
    await replicas(namespace, 3, most=5)
    await namespace.merge("pods", "support-1", {"status": {"podIP": "127.0.77.1"}}, "status")  # nobody listens there
    found = await scaling_active(namespace, "LoadUnknown", 60)
    assert "pods stay" in condition(found, "ScalingActive")["message"]
    assert (await namespace.get("deployments", "support"))["spec"]["replicas"] >= 3


async def test_a_pod_that_does_not_report_makes_the_load_known_in_part(namespace: Namespace, pod: LoadServer) -> None:
    await make_pod(namespace, "support-2", await revision(namespace))
    await namespace.merge(
        "pods",
        "support-2",
        {"status": {"podIP": "127.0.77.1", "conditions": [{"type": "Ready", "status": "True"}]}},
        "status",
    )
    await scaling_active(namespace, "LoadPartlyKnown")
    pod.tell(in_flight=10, refused=18)
    await replicas(namespace, 3, most=5)


async def test_a_pod_that_lies_about_its_load_counts_as_full(namespace: Namespace, pod: LoadServer) -> None:
    pod.tell(in_flight=1_000_000, queued=1_000_000, refused=0)
    await replicas(namespace, 2, most=4)  # 10 in flight and 2 queued: what the spec gave it
    await asyncio.sleep(0.5)
    await replicas(namespace, 2, most=4)


async def test_observe_tells_and_touches_nothing(namespace: Namespace, pod: LoadServer) -> None:
    await namespace.merge("agentdeployments", "support", {"spec": {"mode": "Observe", "replicas": 2}})
    await replicas(namespace, 2)
    pod.tell(in_flight=10, refused=18)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: found["status"]["scaling"].get("autoReplicas", 0) >= 3
    )
    assert found["status"]["desiredReplicas"] == 2
    assert (await namespace.get("deployments", "support"))["spec"]["replicas"] == 2


async def test_a_pause_keeps_the_number_and_ends(namespace: Namespace, pod: LoadServer) -> None:
    await namespace.merge("agentdeployments", "support", {"spec": {"scaling": {"paused": True}}})
    await scaling_active(namespace, "Paused")
    pod.tell(in_flight=10, refused=18)
    await asyncio.sleep(1)
    await replicas(namespace, 1)
    await namespace.merge("agentdeployments", "support", {"spec": {"scaling": {"paused": False}}})
    await replicas(namespace, 3, most=5)


async def test_the_forecast_raises_the_number_and_the_status_tells_it(namespace: Namespace, pod: LoadServer) -> None:
    pod.tell(in_flight=9)
    found = await namespace.eventually(
        "agentdeployments",
        "support",
        lambda found: any(
            term["name"] == "forecast" and term["reason"] == "LoadForecast"
            for term in found["status"]["scaling"].get("terms", ())
        ),
        60,
    )
    term = next(term for term in found["status"]["scaling"]["terms"] if term["name"] == "forecast")
    assert term["replicas"] >= 1


async def test_a_model_api_that_fails_for_half_a_minute_gets_no_more_pods(
    namespace: Namespace, pod: LoadServer
) -> None:
    pod.tell(in_flight=1, upstream_error_share=0.9)
    found = await scaling_active(namespace, "UpstreamLimited", 45)
    assert "more than 30%" in condition(found, "ScalingActive")["message"]
    pod.tell(in_flight=10, refused=18)
    await asyncio.sleep(1)
    await replicas(namespace, 1)
    pod.tell(upstream_error_share=0.0)
    await replicas(namespace, 3, most=5)
