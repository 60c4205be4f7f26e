"""A real API server behind a proxy that breaks what passes."""

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from component.operator import audit, replica
from component.operator.fault_proxy import FaultProxy, Request
from component.operator.namespace import Namespace, condition
from component.operator.replica import Replica

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
WATCHED_KINDS = 5


@pytest.fixture
async def settled(proxied_operator: Replica, namespace: Namespace, agent: Agent) -> Namespace:
    """A namespace with an agent whose children are as they should be."""
    await namespace.create_object("agentdeployments", agent)
    await namespace.eventually("deployments", "support", is_adopted)
    await namespace.eventually("agentdeployments", "support", lambda found: "revision" in found.get("status", {}))
    return namespace


def is_adopted(deployment: Agent) -> bool:
    managers = [(entry["manager"], entry["operation"]) for entry in deployment["metadata"]["managedFields"]]
    return ("prewarm", "Apply") in managers and ("prewarm", "Update") not in managers


def has_replicas(number: int) -> Callable[[Agent], bool]:
    return lambda deployment: deployment["spec"]["replicas"] == number


async def scale(namespace: Namespace, number: int) -> None:
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": number}}, "scale")


async def test_an_expired_watch_is_listed_again_and_what_was_deleted_meanwhile_comes_back(
    proxy: FaultProxy, settled: Namespace
) -> None:
    proxy.silence_watches()
    before = await settled.get("deployments", "support")
    await settled.delete("deployments", "support")
    await asyncio.sleep(1)
    proxy.send_error(410)
    after = await settled.eventually("deployments", "support", lambda _: True, seconds=10)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


async def test_an_error_in_a_watch_restarts_all_watches_and_loses_and_doubles_nothing(
    api_server: ControlPlane, proxy: FaultProxy, proxied_operator: Replica, settled: Namespace
) -> None:
    restarts = proxied_operator.metric("prewarm_operator_watch_restarts_total")
    before = len(audit.writes(api_server, settled.name))
    proxy.silence_watches()
    await scale(settled, 4)
    proxy.send_error(500)
    await settled.eventually("deployments", "support", has_replicas(4), seconds=15)
    await asyncio.sleep(2)
    assert proxied_operator.metric("prewarm_operator_watch_restarts_total") == restarts + 1
    later = [write for write in audit.writes(api_server, settled.name)[before:] if "/events" not in write.path]
    assert sorted((write.verb, write.path.rpartition("/")[2]) for write in later) == [
        ("patch", "status"),
        ("patch", "support"),
    ]


async def test_a_watch_that_is_cut_goes_on_where_it_was(
    proxy: FaultProxy, proxied_operator: Replica, settled: Namespace
) -> None:
    restarts = proxied_operator.metric("prewarm_operator_watch_restarts_total")
    proxy.cut_watches()
    await scale(settled, 4)
    await settled.eventually("deployments", "support", has_replicas(4), seconds=5)
    assert proxied_operator.metric("prewarm_operator_watch_restarts_total") == restarts


async def test_rights_that_are_gone_for_a_while_end_in_a_restart_of_the_watches_and_nothing_worse(
    proxy: FaultProxy, proxied_operator: Replica, settled: Namespace
) -> None:
    def reads(request: Request) -> bool:
        return request.method == "GET" and "/apis/apps/v1/deployments" in request.path

    restarts = proxied_operator.metric("prewarm_operator_watch_restarts_total")
    with proxy.answering(403, reads):
        proxy.cut_watches()
        async with asyncio.timeout(60):
            while proxied_operator.metric("prewarm_operator_watch_restarts_total") == restarts:
                assert proxied_operator.is_alive()
                await asyncio.sleep(0.5)
        await scale(settled, 4)
    await settled.eventually("deployments", "support", has_replicas(4), seconds=15)
    assert proxied_operator.process.poll() is None


async def test_a_watch_that_ends_at_once_is_not_asked_for_in_a_hot_loop(
    proxy: FaultProxy, proxied_operator: Replica, settled: Namespace
) -> None:
    with proxy.answering(200, lambda request: request.is_watch):
        proxy.cut_watches()
        await asyncio.sleep(1)
        before = len(proxy.requests)
        await asyncio.sleep(5)
        asked = len(proxy.requests) - before
    assert asked <= 6 * WATCHED_KINDS
    await scale(settled, 4)
    await settled.eventually("deployments", "support", has_replicas(4), seconds=10)


async def test_retry_after_is_obeyed(
    proxy: FaultProxy, proxied_operator: Replica, namespace: Namespace, agent: Agent
) -> None:
    def makes_a_service(request: Request) -> bool:
        return request.method == "POST" and request.path.endswith(f"{namespace.name}/services")

    with proxy.answering(429, makes_a_service, {"Retry-After": "3"}):
        await namespace.create_object("agentdeployments", agent)
        await asyncio.sleep(4)
    await namespace.eventually("services", "support", lambda _: True, seconds=6)
    first, second, *_ = [request.at for request in proxy.requests if makes_a_service(request)]
    assert second - first >= 3


async def test_a_listing_that_is_told_to_wait_waits(api_server: ControlPlane, tmp_path: Path) -> None:
    def lists_services(request: Request) -> bool:
        return request.method == "GET" and request.path == "/api/v1/services"

    with (
        FaultProxy(api_server, tmp_path) as slow,
        slow.answering(429, lists_services, {"Retry-After": "4"}, times=1),
        replica.running(slow.kubeconfig, "told-to-wait"),
    ):
        refused, again, *_ = [request.at for request in slow.requests if lists_services(request)]
    assert again - refused >= 4


async def test_conflicts_are_tried_again_at_once_and_are_no_fault_of_the_agent(
    proxy: FaultProxy, proxied_operator: Replica, settled: Namespace
) -> None:
    def changes_the_deployment(request: Request) -> bool:
        return request.method == "PATCH" and request.path.endswith(f"{settled.name}/deployments/support")

    before = sum(changes_the_deployment(request) for request in proxy.requests)
    with proxy.answering(409, changes_the_deployment, times=3):
        await scale(settled, 4)
        await settled.eventually("deployments", "support", has_replicas(4), seconds=5)
    assert sum(changes_the_deployment(request) for request in proxy.requests) == before + 4
    found = await settled.get("agentdeployments", "support")
    assert condition(found, "Ready")["reason"] not in ("ChildRefused", "NameConflict")


async def test_a_storm_of_another_writer_on_the_deployment_leads_to_few_writes_of_ours(
    api_server: ControlPlane, proxied_operator: Replica, settled: Namespace
) -> None:
    before = len(audit.writes(api_server, settled.name))
    until = time.monotonic() + 5
    number = 0
    while time.monotonic() < until:
        number += 1
        await settled.merge("deployments", "support", {"metadata": {"annotations": {"storm": str(number)}}})
        if number == 20:
            await scale(settled, 4)
    found = await settled.eventually("deployments", "support", has_replicas(4), seconds=5)
    assert found["metadata"]["annotations"]["storm"] == str(number)
    assert number > 100
    assert len(audit.writes(api_server, settled.name)) - before <= 4


async def test_a_lost_answer_to_a_creation_makes_nothing_twice(
    api_server: ControlPlane, proxy: FaultProxy, proxied_operator: Replica, namespace: Namespace, agent: Agent
) -> None:
    def makes_the_deployment(request: Request) -> bool:
        return request.method == "POST" and request.path.endswith(f"{namespace.name}/deployments")

    with proxy.holding_answers(makes_the_deployment) as held:
        await namespace.create_object("agentdeployments", agent)
        assert await asyncio.to_thread(held.wait, 10)
        await namespace.eventually("deployments", "support", is_adopted, seconds=25)  # after the call's 15 s
    assert len(await namespace.list("deployments")) == 1


async def test_an_operator_that_starts_before_its_network_waits_for_it(
    api_server: ControlPlane, tmp_path: Path
) -> None:
    api_server.pause_api_server()
    try:
        with replica.start(api_server.kubeconfig, "early") as early:
            async with asyncio.timeout(20):
                while not early.is_alive():
                    await asyncio.sleep(0.1)
            await asyncio.sleep(3)
            assert early.is_alive()
            assert not early.is_ready()
            api_server.resume_api_server()
            async with asyncio.timeout(30):
                while not early.is_ready():
                    await asyncio.sleep(0.1)
    finally:
        api_server.resume_api_server()
    assert isinstance(early.process, subprocess.Popen)
    assert early.process.returncode == 0
