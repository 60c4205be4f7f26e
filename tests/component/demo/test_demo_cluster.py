"""How the acts meet a cluster, on a real API server."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import apiserver
import pytest

from prewarm_demo.cluster.access import MARKER_CONFIGMAP, MARKER_NAMESPACE, Access, find_access
from prewarm_demo.cluster.api import connect
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import PodObserver
from prewarm_demo.errors import DemoError
from prewarm_demo.narrator import Narrator
from prewarm_demo.report.results import surroundings

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"labels": {"app": "watched"}},
    "spec": {"containers": [{"name": "c", "image": "unused"}], "terminationGracePeriodSeconds": 0},
}
READY = '--patch={"status": {"conditions": [{"type": "Ready", "status": "True"}]}}'


@pytest.fixture
def access(control_plane: apiserver.ApiServer, monkeypatch: pytest.MonkeyPatch) -> Access:
    """A cluster that may be used."""
    monkeypatch.setenv("PREWARM_KUBECONFIG", str(control_plane.kubeconfig))
    control_plane.kubectl("create", "configmap", MARKER_CONFIGMAP, f"--namespace={MARKER_NAMESPACE}")
    return find_access()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_cluster_without_the_marker_is_refused(
    control_plane: apiserver.ApiServer, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert access.kubeconfig == control_plane.kubeconfig

    control_plane.kubectl("delete", "configmap", MARKER_CONFIGMAP, f"--namespace={MARKER_NAMESPACE}")
    with pytest.raises(DemoError, match="does not say that a demo may kill its pods"):
        find_access()


def test_no_cluster_at_all_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PREWARM_KUBECONFIG", str(tmp_path / "absent"))

    with pytest.raises(DemoError, match="absent"):
        find_access()


async def test_a_command_that_fails_says_what_kubectl_said(access: Access, tmp_path: Path) -> None:
    commands = Commands(access, Narrator(), tmp_path)

    with pytest.raises(DemoError, match=r"`kubectl get pod nothing` failed: .*\"nothing\" not found"):
        await commands.kubectl("get", "pod", "nothing")


async def test_pods_are_followed_from_created_to_ready_to_gone(
    control_plane: apiserver.ApiServer, access: Access
) -> None:
    async with connect(access) as api:
        pods = PodObserver(api, "default", "app=watched")
        watching = asyncio.create_task(pods.watch())
        manifest = {**POD, "metadata": {**POD["metadata"], "name": "watched"}}
        await asyncio.to_thread(control_plane.kubectl, "create", "--filename=-", stdin=json.dumps(manifest))
        await eventually(lambda: len(pods.pods) == 1)
        assert pods.serving == []

        await asyncio.to_thread(control_plane.kubectl, "patch", "pod", "watched", "--subresource=status", READY)
        await eventually(lambda: len(pods.serving) == 1)
        assert pods.pods[0].start_seconds is not None

        await asyncio.to_thread(control_plane.kubectl, "delete", "pod", "watched", "--wait=false")
        await eventually(lambda: pods.pods[0].ended)
        assert pods.serving == []
        watching.cancel()


async def test_pods_of_others_are_not_followed(control_plane: apiserver.ApiServer, access: Access) -> None:
    async with connect(access) as api:
        pods = PodObserver(api, "default", "app=watched")
        watching = asyncio.create_task(pods.watch())
        for name, labels in (("stranger", {"app": "other"}), ("known", {"app": "watched"})):
            manifest = {**POD, "metadata": {"name": name, "labels": labels}}
            await asyncio.to_thread(control_plane.kubectl, "create", "--filename=-", stdin=json.dumps(manifest))
        await eventually(lambda: bool(pods.pods))
        assert [pod.name for pod in pods.pods] == ["known"]
        watching.cancel()


async def test_figures_say_which_kubernetes_they_were_measured_on(access: Access) -> None:
    async with connect(access) as api:
        where = await surroundings(api)

    assert where["versions"]["kubernetes"].startswith("v1.")
    assert where["machine"] == []
