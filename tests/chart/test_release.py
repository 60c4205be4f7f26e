"""A release on a real API server: installed, upgraded, uninstalled. No pod runs here; tests/cluster has those."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from apiserver import ApiServer
from helmcli import CHART, helm

AGENT = {
    "apiVersion": "prewarm.dev/v1alpha1",
    "kind": "AgentDeployment",
    "metadata": {"name": "stays", "namespace": "default"},
    "spec": {"agent": {"entrypoint": "agents:build"}},
}
NAMESPACE = "prewarm-system"


@pytest.fixture
def release(control_plane: ApiServer) -> tuple[str, ...]:
    """Arguments that name a freshly installed release."""
    where = (f"--kubeconfig={control_plane.kubeconfig}", f"--namespace={NAMESPACE}")
    installed = helm("upgrade", "prewarm", str(CHART), "--install", "--create-namespace", *where)
    assert installed.returncode == 0, installed.stderr
    assert "kubectl explain agentdeployment.spec" in installed.stdout
    return where


def test_the_api_server_accepts_every_object_as_it_is(
    control_plane: ApiServer, rendered: list[dict[str, Any]], tmp_path: Path
) -> None:
    control_plane.kubectl("create", "namespace", NAMESPACE)
    manifest = tmp_path / "release.yaml"
    manifest.write_text(yaml.safe_dump_all(rendered))
    done = control_plane.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", str(manifest)
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(rendered)
    assert "Warning" not in done.stderr, done.stderr


def test_pod_security_restricted_has_nothing_against_the_operator(
    control_plane: ApiServer, rendered: list[dict[str, Any]]
) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    control_plane.kubectl("create", "namespace", "restricted")
    assert control_plane.kubectl("label", "namespace", "restricted", label).returncode == 0
    (deployment,) = [item for item in rendered if item["kind"] == "Deployment"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator", "namespace": "restricted"},
        "spec": deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"},
    }
    done = control_plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
    assert done.returncode == 0, done.stderr


def test_a_release_can_be_upgraded(control_plane: ApiServer, release: tuple[str, ...]) -> None:
    done = helm("upgrade", "prewarm", str(CHART), "--set=image.tag=new", *release)
    assert done.returncode == 0, done.stderr
    path = ("get", "deployment", "prewarm", f"--namespace={NAMESPACE}", "-o", "jsonpath={..image}")
    assert control_plane.kubectl(*path).stdout == "localhost/prewarm-operator:new"


def test_uninstall_leaves_crds_and_agents_and_a_new_release_takes_them_over(
    control_plane: ApiServer, release: tuple[str, ...]
) -> None:
    applied = control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(AGENT))
    assert applied.returncode == 0, applied.stderr

    assert helm("uninstall", "prewarm", *release).returncode == 0
    assert control_plane.kubectl("get", "clusterrole", "prewarm").returncode != 0
    assert control_plane.kubectl("get", "pwad", "stays").returncode == 0

    again = helm("install", "prewarm", str(CHART), *release)
    assert again.returncode == 0, again.stderr
    assert control_plane.kubectl("get", "pwad", "stays").returncode == 0
