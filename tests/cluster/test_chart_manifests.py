"""Prewarm without Helm: what `make manifests` writes, in a real cluster."""

import subprocess
from pathlib import Path

import pytest
from cluster.eventually import eventually
from cluster.kube import Kube
from cluster.operator_release import NAMESPACE, RELEASE, OperatorRelease
from cluster.sandbox import Sandbox

from devcluster.settings import REPOSITORY

FILE = REPOSITORY / "build" / "manifests" / "prewarm.yaml"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The file, with the images that this cluster has."""
    subprocess.run(["make", "manifests"], cwd=REPOSITORY, check=True, capture_output=True)
    file = tmp_path / "prewarm.yaml"
    file.write_text(FILE.read_text().replace(":0.2.0\n", ":dev\n").replace(':0.2.0"', ':dev"'))
    return file


def test_one_file_installs_an_operator_that_works_and_its_removal_leaves_the_agents(
    sandbox: Sandbox, operator: OperatorRelease, manifest: Path
) -> None:
    kube = sandbox.kube
    with operator.uninstalled():
        # As Helm's own, so that the release that comes back finds no other owner of its fields.
        kube.kubectl(*("apply", "--server-side", "--field-manager=helm", "--force-conflicts", f"--filename={manifest}"))
        kube.kubectl("rollout", "status", f"deployment/{RELEASE}", f"--namespace={NAMESPACE}", "--timeout=120s")
        agent = sandbox.agent()
        agent.wait_until_settled()
        pods = {pod["metadata"]["uid"] for pod in agent.ready_pods()}

        for command in removal(manifest):
            kube.kubectl(*command.split())
        eventually("the namespace is gone", lambda: namespaces(kube), lambda names: NAMESPACE not in names)
        assert {pod["metadata"]["uid"] for pod in agent.ready_pods()} == pods


def removal(manifest: Path) -> list[str]:
    """The commands in the head of the file."""
    lines = manifest.read_text().partition("---")[0].splitlines()
    return [line.removeprefix("#   kubectl ") for line in lines if line.startswith("#   kubectl delete")]


def namespaces(kube: Kube) -> list[str]:
    return kube.kubectl("get", "namespaces", "--output=jsonpath={.items[*].metadata.name}").split()
