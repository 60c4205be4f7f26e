"""Places on nodes on a real API server: what keeps them, and what is left when that comes and goes."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from component.operator import capacity_buffers, replica
from component.operator.chart_release import Release
from component.operator.namespace import Namespace, condition
from component.operator.replica import Replica
from component.operator.test_rbac import granted
from helmcli import render

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]

PLACES = 4
HEADROOM = {
    "PREWARM_NODE_HEADROOM": "Auto",
    "PREWARM_PLACEHOLDER_IMAGE": "example.com/pause:1",
    "PREWARM_PLACEHOLDER_PRIORITY_CLASS": "prewarm-headroom",
}


@pytest.fixture(scope="module")
def keeper(api_server: ControlPlane) -> Iterator[Replica]:
    """An operator that keeps node headroom and lists everything anew every second."""
    with replica.running(api_server.kubeconfig, "keeper", "--resync-seconds=1", **HEADROOM) as started:
        yield started


def expecting_more(agent: Agent) -> Agent:
    """One pod is wanted now, and four more when a window opens, before a node could start."""
    opens = datetime.now(UTC) + timedelta(minutes=3)
    window = {"name": "soon", "start": f"{opens.minute} {opens.hour} * * *", "duration": "1h", "replicas": 1 + PLACES}
    agent["spec"] |= {"mode": "Auto", "minReplicas": 1, "maxReplicas": 9, "scaling": {"schedule": [window]}}
    return agent


@pytest.fixture
def expecting(agent: Agent) -> Agent:
    return expecting_more(agent)


def keeps(places: int) -> Any:
    return lambda found: found["spec"]["replicas"] == places


async def test_without_the_kind_pods_keep_the_places_until_it_is_served_and_again_after(
    keeper: Replica, namespace: Namespace, expecting: Agent
) -> None:
    created = await namespace.create_object("agentdeployments", expecting)
    deployment = await namespace.eventually("deployments", "support-headroom", keeps(PLACES))
    assert deployment["spec"]["template"]["spec"]["priorityClassName"] == "prewarm-headroom"
    async with capacity_buffers.served(namespace):
        buffer = await namespace.eventually("capacitybuffers", "support-headroom", keeps(PLACES))
        assert buffer["metadata"]["ownerReferences"][0]["uid"] == created["metadata"]["uid"]
        template = await namespace.get("podtemplates", buffer["spec"]["podTemplateRef"]["name"])
        own = await namespace.get("deployments", "support")
        assert template["template"]["spec"] == own["spec"]["template"]["spec"]
        await namespace.eventually("deployments", "support-headroom", keeps(0))
    await namespace.eventually("deployments", "support-headroom", keeps(PLACES))
    assert keeper.is_ready()
    assert keeper.process.poll() is None


async def test_the_status_says_how_many_places_are_kept_and_why(
    keeper: Replica, namespace: Namespace, expecting: Agent
) -> None:
    await namespace.create_object("agentdeployments", expecting)

    def told(found: Agent) -> bool:
        return "nodes" in {term["name"] for term in found.get("status", {}).get("scaling", {}).get("terms", ())}

    found = await namespace.eventually("agentdeployments", "support", told)
    (term,) = [term for term in found["status"]["scaling"]["terms"] if term["name"] == "nodes"]
    assert (term["replicas"], term["reason"]) == (PLACES, "NoForecast")
    assert term["message"].endswith(f"{PLACES} places on nodes stay free")


async def test_a_hand_that_changes_a_buffer_is_put_right(
    keeper: Replica, namespace: Namespace, expecting: Agent
) -> None:
    async with capacity_buffers.served(namespace):
        await namespace.create_object("agentdeployments", expecting)
        await namespace.eventually("capacitybuffers", "support-headroom", keeps(PLACES))
        await namespace.merge("capacitybuffers", "support-headroom", {"spec": {"replicas": 50}})
        await namespace.eventually("capacitybuffers", "support-headroom", keeps(PLACES))


async def test_a_mode_in_which_somebody_else_scales_gives_the_places_back(
    keeper: Replica, namespace: Namespace, expecting: Agent
) -> None:
    await namespace.create_object("agentdeployments", expecting)
    await namespace.eventually("deployments", "support-headroom", keeps(PLACES))
    await namespace.merge("agentdeployments", "support", {"spec": {"mode": "External"}})
    await namespace.eventually("deployments", "support-headroom", keeps(0))


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with ControlPlane(tmp_path / "control-plane") as server:
        yield Release(server, tmp_path)


@pytest.fixture
async def elsewhere(release: Release) -> AsyncIterator[Namespace]:
    """A namespace on the API server of the release."""
    async with Namespace.create(release.server, 1) as created:
        yield created


async def test_the_rights_for_buffers_are_all_used_and_there_only_with_them(
    release: Release, elsewhere: Namespace, expecting: Agent
) -> None:
    values = {"nodeHeadroom": {"mode": "CapacityBuffer"}}
    release.install("--set=nodeHeadroom.mode=CapacityBuffer")
    taken = {**expecting, "metadata": {"name": "taken"}}
    pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    async with capacity_buffers.served(elsewhere):
        group = {"apiVersion": "autoscaling.x-k8s.io/v1beta1", "kind": "CapacityBuffer"}
        foreign = {"metadata": {"name": "taken-headroom"}}
        await elsewhere.create_object("capacitybuffers", {**group, **foreign, "spec": {"replicas": 1}})
        await elsewhere.create_object("podtemplates", {**foreign, "template": pod})
        with release.operator(PREWARM_NODE_HEADROOM="CapacityBuffer"):
            await elsewhere.create_object("agentdeployments", expecting)
            await elsewhere.create_object("agentdeployments", taken)
            await elsewhere.eventually("capacitybuffers", "support-headroom", keeps(PLACES))
            found = await elsewhere.eventually(
                "agentdeployments", "taken", lambda found: condition(found, "Ready").get("reason") == "NameConflict"
            )
            assert "taken-headroom exists" in condition(found, "Ready")["message"]
            await elsewhere.merge("agentdeployments", "support", {"spec": {"mode": "External"}})
            await elsewhere.eventually("capacitybuffers", "support-headroom", keeps(0))
    assert release.asked("forbid") == set()
    more = granted(render(values)) - granted(render())
    assert {resource for _, resource, _ in more} == {"capacitybuffers", "podtemplates"}
    assert more <= release.asked("allow")


async def test_a_headroom_that_rights_do_not_allow_keeps_no_agent_from_being_served(
    release: Release, elsewhere: Namespace, expecting: Agent
) -> None:
    """The chart is upgraded by somebody who may not give the rights, or by hand."""
    release.install()
    async with capacity_buffers.served(elsewhere):
        with release.operator(**HEADROOM):
            await elsewhere.create_object("agentdeployments", expecting)
            await elsewhere.eventually("deployments", "support-headroom", keeps(PLACES))
            await elsewhere.get("services", "support")
