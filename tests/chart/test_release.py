"""A release on a real API server: installed, upgraded, rolled back, uninstalled. Real pods are in tests/cluster."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from apiserver import ApiServer
from helmcli import CHART, PREVIOUS_CHART, Object, helm

from prewarm_operator.api.crd import KINDS, custom_resource_definition

AGENT = {
    "apiVersion": "prewarm.dev/v1alpha1",
    "kind": "AgentDeployment",
    "metadata": {"name": "stays", "namespace": "default"},
    "spec": {"agent": {"entrypoint": "agents:build"}},
}
NAMESPACE = "prewarm-system"
Where = tuple[str, ...]


@pytest.fixture(scope="module")
def where(control_plane: ApiServer) -> Where:
    """Arguments that name the cluster and the namespace of the release."""
    return (f"--kubeconfig={control_plane.kubeconfig}", f"--namespace={NAMESPACE}")


@pytest.fixture
def release(where: Where) -> Iterator[Where]:
    """A release of the chart as it is now."""
    done = install(where)
    assert "kubectl explain agentdeployment.spec" in done
    yield where
    helm("uninstall", "prewarm", "--ignore-not-found", *where)


@pytest.fixture
def previous_release(where: Where) -> Iterator[Where]:
    """A release of the version before."""
    install(where, str(PREVIOUS_CHART))
    yield where
    helm("uninstall", "prewarm", "--ignore-not-found", *where)


@pytest.fixture
def agent(control_plane: ApiServer, request: pytest.FixtureRequest) -> Iterator[Object]:
    """An AgentDeployment, once its kind is there."""
    request.getfixturevalue("previous_release" if "previous_release" in request.fixturenames else "release")
    control_plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    applied = control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(AGENT))
    assert applied.returncode == 0, applied.stderr
    yield get(control_plane, "agentdeployment", "stays", "default")
    control_plane.kubectl("delete", "agentdeployment", "stays", "--namespace=default", "--wait=false")


def install(where: Where, chart: str = str(CHART), *arguments: str) -> str:
    done = helm("upgrade", "prewarm", chart, "--install", "--create-namespace", *arguments, *where)
    assert done.returncode == 0, done.stderr
    return done.stdout


def get(control_plane: ApiServer, kind: str, name: str, namespace: str = NAMESPACE) -> Object:
    found = control_plane.kubectl("get", kind, name, f"--namespace={namespace}", "--output=json")
    assert found.returncode == 0, found.stderr
    parsed: Object = json.loads(found.stdout)
    return parsed


def exists(control_plane: ApiServer, kind: str, name: str) -> bool:
    return control_plane.kubectl("get", kind, name, f"--namespace={NAMESPACE}").returncode == 0


def crd_schema(control_plane: ApiServer) -> Any:
    (version,) = get(control_plane, "crd", "agentdeployments.prewarm.dev")["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]


def crd_schema_of(chart: str) -> Any:
    (template,) = (document for document in yaml.safe_load_all(helm("template", chart).stdout) if is_crd(document))
    return template["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def is_crd(document: Object | None) -> bool:
    return document is not None and document["kind"] == "CustomResourceDefinition"


def test_a_value_changes_with_an_upgrade(control_plane: ApiServer, release: Where) -> None:
    install(release, str(CHART), "--set=image.tag=new")
    (container,) = get(control_plane, "deployment", "prewarm")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "localhost/prewarm-operator:new"


def test_an_upgrade_from_the_previous_version_brings_its_crds_and_keeps_the_agents(
    control_plane: ApiServer, previous_release: Where, agent: Object
) -> None:
    assert crd_schema(control_plane) == crd_schema_of(str(PREVIOUS_CHART))
    selector = get(control_plane, "deployment", "prewarm")["spec"]["selector"]

    install(previous_release)

    (kind,) = KINDS
    (version,) = custom_resource_definition(kind)["spec"]["versions"]
    assert crd_schema(control_plane) == version["schema"]["openAPIV3Schema"]
    assert get(control_plane, "agentdeployment", "stays", "default")["metadata"]["uid"] == agent["metadata"]["uid"]
    deployment = get(control_plane, "deployment", "prewarm")["spec"]
    assert deployment["selector"] == selector
    assert (deployment["replicas"], deployment["strategy"]["type"]) == (2, "RollingUpdate")


def test_a_rollback_brings_back_the_previous_version_as_it_was(
    control_plane: ApiServer, previous_release: Where, agent: Object
) -> None:
    before = get(control_plane, "deployment", "prewarm")["spec"]
    install(previous_release)
    done = helm("rollback", "prewarm", *previous_release)
    assert done.returncode == 0, done.stderr

    assert get(control_plane, "deployment", "prewarm")["spec"] == before
    assert crd_schema(control_plane) == crd_schema_of(str(PREVIOUS_CHART))
    assert not exists(control_plane, "poddisruptionbudget", "prewarm")
    assert get(control_plane, "agentdeployment", "stays", "default")["metadata"]["uid"] == agent["metadata"]["uid"]


def test_uninstall_leaves_crds_and_agents_and_a_new_release_takes_them_over(
    control_plane: ApiServer, release: Where, agent: Object
) -> None:
    assert helm("uninstall", "prewarm", *release).returncode == 0
    for kind in ("clusterrole", "role", "deployment", "poddisruptionbudget", "serviceaccount"):
        left = control_plane.kubectl(
            "get", kind, f"--namespace={NAMESPACE}", "--selector=app.kubernetes.io/name=prewarm"
        )
        assert "No resources found" in left.stderr, left.stdout
    assert get(control_plane, "agentdeployment", "stays", "default") == agent

    again = helm("install", "prewarm", str(CHART), *release)
    assert again.returncode == 0, again.stderr
    assert get(control_plane, "agentdeployment", "stays", "default") == agent


def test_the_notes_warn_of_what_will_surprise() -> None:
    values = {"replicas": 1, "crds": {"enabled": False, "keep": False}, "prometheusRule": {"enabled": True}}
    notes, default = (
        helm("install", "prewarm", str(CHART), "--dry-run=client", values=chosen).stdout for chosen in (values, {})
    )
    for value in (
        "replicas is 1: ",
        "crds.enabled is false: ",
        "crds.keep is false: ",
        "serviceMonitor.enabled is false: ",
    ):
        assert value in notes
        assert value not in default
