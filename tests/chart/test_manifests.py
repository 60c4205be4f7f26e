"""What `make manifests` writes, for people without Helm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from apiserver import ApiServer
from helmcli import Object, of_kind, render

from devcluster.settings import REPOSITORY


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by the command that the Makefile runs."""
    written = tmp_path_factory.mktemp("manifests") / "prewarm.yaml"
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in ("dev/chart", "dev/cluster"))
    command = [sys.executable, "-m", "prewarm_chart", "manifests", str(written)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True)
    return written


@pytest.fixture(scope="module")
def documents(file: Path) -> list[Object]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def test_it_holds_what_a_release_holds_and_its_namespace(documents: list[Object]) -> None:
    def named(objects: list[Object]) -> set[tuple[str, str]]:
        return {(item["kind"], item["metadata"]["name"]) for item in objects}

    expected = named(render()) - {("Pod", "prewarm-test")} | {("Namespace", "prewarm-system")}
    assert named(documents) == expected


def test_nothing_in_it_pretends_to_be_helms(file: Path) -> None:
    assert "helm" not in file.read_text().lower()


def test_kubectl_applies_it_at_once_and_then_again_without_a_change(
    control_plane: ApiServer, file: Path, documents: list[Object]
) -> None:
    apply = ("apply", "--server-side", "--validate=strict", f"--filename={file}")
    done = control_plane.kubectl(*apply)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    assert len(done.stdout.splitlines()) == len(documents)

    difference = control_plane.kubectl("diff", "--server-side", f"--filename={file}")
    assert (difference.returncode, difference.stdout) == (0, "")


def test_the_commands_in_its_head_remove_the_operator_and_leave_the_agents(
    control_plane: ApiServer, file: Path, documents: list[Object]
) -> None:
    control_plane.kubectl("apply", "--server-side", f"--filename={file}")
    head = file.read_text().partition("---")[0]
    removals = [
        line.removeprefix("#   kubectl ") for line in head.splitlines() if line.startswith("#   kubectl delete")
    ]
    for command in removals:
        done = control_plane.kubectl(*command.split(), "--wait=false")
        assert done.returncode == 0, done.stderr

    for role in of_kind(documents, "ClusterRole") + of_kind(documents, "ClusterRoleBinding"):
        assert control_plane.kubectl("get", role["kind"], role["metadata"]["name"]).returncode != 0
    namespace = control_plane.kubectl("get", "namespace", "prewarm-system", "--output=jsonpath={.status.phase}")
    assert namespace.stdout == "Terminating"
    for crd in of_kind(documents, "CustomResourceDefinition"):
        left = control_plane.kubectl("get", "crd", crd["metadata"]["name"], "--output=jsonpath={.metadata}")
        assert left.returncode == 0
        assert "deletionTimestamp" not in left.stdout
