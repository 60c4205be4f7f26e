"""Two replicas of the operator on a real API server. What they wrote is read from its audit log, not asked of them."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from component.operator import audit, replica
from component.operator.fault_proxy import FaultProxy, Request
from component.operator.namespace import Namespace
from component.operator.replica import Replica

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]

LEASE_SECONDS = 5
RETRY_SECONDS = 1.2
"""With its jitter."""
FLAGS = (f"--lease-seconds={LEASE_SECONDS}", "--renew-deadline-seconds=3.5", "--retry-seconds=1")


@contextmanager
def member(kubeconfig: Path, namespace: Namespace, name: str, *flags: str) -> Iterator[Replica]:
    """A replica whose Lease lies in the test's namespace."""
    with replica.start(kubeconfig, name, *flags, PREWARM_NAMESPACE=namespace.name) as running:
        yield running


@dataclass(frozen=True)
class Pair:
    """Two replicas of which one leads."""

    leader: Replica
    standby: Replica


@pytest.fixture
def pair(api_server: ControlPlane, namespace: Namespace) -> Iterator[Pair]:
    kubeconfig = api_server.kubeconfig
    with member(kubeconfig, namespace, "a", *FLAGS) as first, member(kubeconfig, namespace, "b", *FLAGS) as second:
        both = (first, second)
        wait_until(lambda: all(each.is_ready() for each in both) and any(each.is_leading() for each in both))
        leader, standby = both if first.is_leading() else both[::-1]
        yield Pair(leader, standby)


@pytest.fixture
async def settled(pair: Pair, namespace: Namespace, agent: Agent) -> Namespace:
    """The namespace of both, with an agent that has its children and its status."""
    await namespace.create_object("agentdeployments", agent)
    await namespace.eventually("agentdeployments", "support", lambda found: "revision" in found.get("status", {}))
    return namespace


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> float:
    """Wait for something and return how long it took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds, f"it did not come true in {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


async def scale_and_see_it_done(namespace: Namespace, number: int, seconds: float = 10.0) -> None:
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": number}}, "scale")
    await namespace.eventually(
        "deployments", "support", lambda found: found["spec"]["replicas"] == number, seconds=seconds
    )


def authors(api_server: ControlPlane, namespace: Namespace, after: int = 0) -> set[str]:
    return {write.replica for write in audit.writes(api_server, namespace.name)[after:]}


async def lease_of(namespace: Namespace) -> dict[str, Any]:
    found = await namespace.get("leases", "prewarm-operator")
    spec: dict[str, Any] = found["spec"]
    return spec


async def test_of_two_replicas_one_writes_and_both_are_ready(
    api_server: ControlPlane, pair: Pair, settled: Namespace
) -> None:
    await scale_and_see_it_done(settled, 4)
    assert (pair.leader.is_ready(), pair.standby.is_ready()) == (True, True)
    assert (pair.leader.is_leading(), pair.standby.is_leading()) == (True, False)
    assert authors(api_server, settled) == {pair.leader.name}
    assert (await lease_of(settled))["holderIdentity"].startswith(f"{pair.leader.name}_")


async def test_a_killed_leader_is_followed_within_the_lease_and_nothing_is_written_again(
    api_server: ControlPlane, pair: Pair, settled: Namespace
) -> None:
    await asyncio.sleep(1)
    before = len(audit.writes(api_server, settled.name))
    pair.leader.process.kill()
    pair.leader.process.wait()
    took = await asyncio.to_thread(wait_until, pair.standby.is_leading)
    assert LEASE_SECONDS - 2 * RETRY_SECONDS <= took <= LEASE_SECONDS + 2 * RETRY_SECONDS + 2
    await asyncio.sleep(2)
    assert authors(api_server, settled, before) == set()
    await scale_and_see_it_done(settled, 4)
    assert authors(api_server, settled, before) == {pair.standby.name}
    assert (await lease_of(settled))["leaseTransitions"] == 1


async def test_a_leader_that_is_told_to_stop_hands_over_at_once(pair: Pair, settled: Namespace) -> None:
    started = time.monotonic()
    pair.leader.process.terminate()
    await asyncio.to_thread(pair.leader.process.wait, 10)
    assert pair.leader.process.returncode == 0
    await asyncio.to_thread(wait_until, pair.standby.is_leading)
    assert time.monotonic() - started < LEASE_SECONDS  # it need not wait for the lease
    await scale_and_see_it_done(settled, 4)


async def test_a_standby_has_measured_what_it_reports_once_it_leads(pair: Pair, settled: Namespace) -> None:
    found = await settled.get("agentdeployments", "support")
    await settled.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    labels = {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}
    labels["prewarm.dev/revision"] = found["status"]["revision"]
    pod = {"metadata": {"name": "one", "labels": labels}, "spec": {"containers": [{"name": "agent", "image": "x"}]}}
    await settled.create_object("pods", pod)
    await asyncio.sleep(1)
    await settled.merge("pods", "one", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "status")
    await settled.eventually("agentdeployments", "support", lambda found: "startup" in found["status"])
    pair.leader.process.kill()
    pair.leader.process.wait()
    await asyncio.to_thread(wait_until, pair.standby.is_leading)
    await scale_and_see_it_done(settled, 4)
    generation = (await settled.get("agentdeployments", "support"))["metadata"]["generation"]
    found = await settled.eventually(
        "agentdeployments", "support", lambda found: found["status"]["observedGeneration"] == generation
    )
    assert found["status"]["startup"]["samples"] == 1


async def test_a_leader_that_was_paused_past_its_lease_writes_nothing_when_it_wakes_up(
    api_server: ControlPlane, pair: Pair, settled: Namespace
) -> None:
    before = len(audit.writes(api_server, settled.name))
    pair.leader.send(signal.SIGSTOP)
    await asyncio.to_thread(wait_until, pair.standby.is_leading)
    await scale_and_see_it_done(settled, 4)
    await settled.merge("deployments", "support", {"spec": {"replicas": 0}}, "scale")
    pair.leader.send(signal.SIGCONT)  # it finds events, and an object to repair
    await asyncio.sleep(3)
    assert authors(api_server, settled, before) == {pair.standby.name}
    assert not pair.leader.is_leading()
    assert pair.leader.is_ready()
    assert pair.leader.process.poll() is None


async def test_a_leader_that_was_paused_in_the_middle_of_its_writes_does_not_go_on_with_them(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    """It wakes up with a plan in hand, whose next write is due the moment the answer to the last one is there.

    Two guards keep it from going on, and either is enough here: the gate before each write, and the end of the term.
    The gate alone is tried in tests/unit/operator/test_gateway_gate.py and test_leader_election.py.
    """

    def makes_the_service(request: Request) -> bool:
        return request.method == "POST" and request.path.endswith(f"{namespace.name}/services")

    with FaultProxy(api_server, tmp_path) as proxy, member(proxy.kubeconfig, namespace, "first", *FLAGS) as first:
        await asyncio.to_thread(wait_until, first.is_leading)
        with member(api_server.kubeconfig, namespace, "second", *FLAGS) as second:
            await asyncio.to_thread(wait_until, second.is_ready)
            with proxy.holding_answers(makes_the_service) as held:
                await namespace.create_object("agentdeployments", agent)
                assert await asyncio.to_thread(held.wait, 10)
                first.send(signal.SIGSTOP)
                before = audit.writes(api_server, namespace.name)
                assert before[-1].path.endswith("/services")
                await asyncio.to_thread(wait_until, second.is_leading)
                await namespace.eventually("deployments", "support", lambda _: True)
            await asyncio.sleep(0.5)  # the answer is in its socket now
            first.send(signal.SIGCONT)
            await asyncio.sleep(3)
            written = audit.writes(api_server, namespace.name)
            assert [write for write in written if write.replica == "first"] == before
            assert authors(api_server, namespace) == {"first", "second"}


async def test_without_an_api_server_replicas_stay_alive_and_one_leads_again_without_a_restart(
    api_server: ControlPlane, pair: Pair, settled: Namespace
) -> None:
    both = (pair.leader, pair.standby)
    api_server.kill_api_server()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        assert [each.is_alive() for each in both] == [True, True]
        await asyncio.sleep(0.3)
    assert [each.is_leading() for each in both] == [False, False]
    api_server.start_api_server()
    await asyncio.to_thread(api_server.wait_ready)
    await asyncio.to_thread(wait_until, lambda: pair.leader.is_leading() or pair.standby.is_leading())
    await scale_and_see_it_done(settled, 4, seconds=20)
    assert [each.process.poll() for each in both] == [None, None]
    assert sum(each.is_leading() for each in both) == 1


async def test_a_write_under_way_is_not_overtaken_when_the_leader_is_told_to_stop(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    """It ends in time all the same, but lets the Lease run out: nobody knows what becomes of the write."""

    def makes_the_service(request: Request) -> bool:
        return request.method == "POST" and request.path.endswith(f"{namespace.name}/services")

    with FaultProxy(api_server, tmp_path) as proxy, member(proxy.kubeconfig, namespace, "first") as first:
        await asyncio.to_thread(wait_until, first.is_leading)
        with proxy.holding_answers(makes_the_service) as held:
            await namespace.create_object("agentdeployments", agent)
            assert await asyncio.to_thread(held.wait, 10)
            first.process.terminate()
            await asyncio.to_thread(first.process.wait, 10)
        assert first.process.returncode == 0
    assert (await lease_of(namespace))["holderIdentity"].startswith("first_")


async def test_the_operator_stops_within_ten_seconds_when_the_api_server_is_away(
    api_server: ControlPlane, pair: Pair
) -> None:
    api_server.pause_api_server()
    try:
        pair.leader.process.terminate()
        await asyncio.to_thread(pair.leader.process.wait, 10)
    finally:
        api_server.resume_api_server()
    assert pair.leader.process.returncode == 0


async def test_a_replica_that_may_not_write_its_lease_says_so_and_does_not_lead(
    api_server: ControlPlane,
    namespace: Namespace,
    agent: Agent,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with (
        FaultProxy(api_server, tmp_path) as proxy,
        proxy.answering(403, lambda request: "/leases" in request.path and request.method == "POST"),
        member(proxy.kubeconfig, namespace, "first") as first,
    ):
        await asyncio.to_thread(wait_until, first.is_ready)
        await namespace.create_object("agentdeployments", agent)
        await asyncio.sleep(3)
        assert not first.is_leading()
        assert first.is_alive()
        assert authors(api_server, namespace) == set()
    assert "lease neither acquired nor renewed error=403: broken by the test" in capfd.readouterr().err
