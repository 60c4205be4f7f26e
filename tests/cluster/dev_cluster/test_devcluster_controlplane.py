"""etcd and the API server alone, as component tests use them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.apiclient import ApiClient
from devcluster.commands import run
from devcluster.controlplane import ControlPlane
from devcluster.processes import recorded_daemons
from devcluster.settings import Cache


@pytest.fixture
def control_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path) as started:
        yield started


def _client(control_plane: ControlPlane) -> ApiClient:
    return ApiClient(control_plane.endpoints.address, control_plane.endpoints.api_port, control_plane.pki)


def _kubectl(control_plane: ControlPlane, *words: str) -> str:
    return run([Cache.from_environment().current / "kubectl", f"--kubeconfig={control_plane.kubeconfig}", *words])


def test_it_carries_the_marker(control_plane: ControlPlane) -> None:
    assert _client(control_plane).get("/api/v1/namespaces/kube-system/configmaps/prewarm-dev-cluster")


def test_two_run_beside_each_other(control_plane: ControlPlane, tmp_path: Path) -> None:
    with ControlPlane(tmp_path / "second") as second:
        _kubectl(second, "create", "namespace", "only-in-second")
        assert _client(control_plane).ready()
        assert _client(control_plane).get("/api/v1/namespaces/only-in-second") is None


def test_a_killed_api_server_comes_back_with_its_data(control_plane: ControlPlane) -> None:
    _kubectl(control_plane, "create", "namespace", "kept")
    control_plane.kill_api_server()
    assert not _client(control_plane).ready()
    control_plane.start_api_server()
    control_plane.wait_ready()
    assert _client(control_plane).get("/api/v1/namespaces/kept")


def test_a_paused_api_server_answers_nothing_until_resumed(
    control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devcluster.apiclient.TIMEOUT_SECONDS", 0.5)
    control_plane.pause_api_server()
    assert not _client(control_plane).ready()
    control_plane.resume_api_server()
    monkeypatch.undo()
    assert _client(control_plane).ready()


def test_writes_are_in_the_audit_log(control_plane: ControlPlane) -> None:
    _kubectl(control_plane, "create", "namespace", "audited")
    events = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]
    (event,) = [event for event in events if event.get("objectRef", {}).get("name") == "audited"]
    assert (event["verb"], event["user"]["username"]) == ("create", "kubernetes-admin")


def test_nothing_of_it_is_left_after_stop_but_logs(tmp_path: Path) -> None:
    with ControlPlane(tmp_path) as control_plane:
        daemons = recorded_daemons(tmp_path)
        assert [daemon.name for daemon in daemons] == ["etcd", "kube-apiserver"]
    assert not any(daemon.running() for daemon in daemons)
    assert not control_plane.kubeconfig.exists()
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {
        "audit-policy.yaml",
        "etcd.log",
        "kube-apiserver.log",
    }
