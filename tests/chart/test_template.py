"""What the chart renders, before any cluster sees it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from helmcli import CHART, helm
from pydantic import Field

from prewarm_operator.api import names
from prewarm_operator.api.crd import KINDS, Kind, custom_resource_definition
from prewarm_operator.api.manifests import chart_template
from prewarm_operator.api.model import ApiModel

CRDS = {kind.name.crd_name for kind in KINDS}


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in objects if item["kind"] == kind]


def test_the_chart_passes_lint_without_a_warning() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_object_carries_the_standard_labels(rendered: list[dict[str, Any]]) -> None:
    for item in rendered:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "prewarm", item["kind"]
        assert labels["app.kubernetes.io/instance"] == "prewarm", item["kind"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm", item["kind"]


def test_no_right_is_a_wildcard_and_no_secret_is_readable(rendered: list[dict[str, Any]]) -> None:
    (role,) = of_kind(rendered, "ClusterRole")
    for rule in role["rules"]:
        words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert not [word for word in words if "*" in word], rule
        assert "secrets" not in rule["resources"], rule


def test_the_operator_runs_under_restricted_pod_security(rendered: list[dict[str, Any]]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {}}]


def test_two_operators_never_run_at_once(rendered: list[dict[str, Any]]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("values", "image", "agent_image"),
    [
        pytest.param((), "localhost/prewarm-operator:0.1.0", "localhost/prewarm-agent:0.1.0", id="defaults"),
        pytest.param(
            (
                "image.repository=example.com/op",
                "image.tag=7",
                "agentImage.repository=example.com/a",
                "agentImage.tag=8",
            ),
            "example.com/op:7",
            "example.com/a:8",
            id="set",
        ),
    ],
)
def test_the_images_are_those_of_the_values(values: tuple[str, ...], image: str, agent_image: str) -> None:
    sets = [f"--set-string={value}" for value in values]
    done = helm("template", "prewarm", str(CHART), "--show-only=templates/deployment.yaml", *sets)
    (container,) = yaml.safe_load(done.stdout)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image
    assert {"name": "PREWARM_AGENT_IMAGE", "value": agent_image} in container["env"]


@pytest.mark.parametrize(
    "value",
    [
        "unknown=1",
        "image.unknown=1",
        "crds.unknown=1",
        "agentImage.unknown=1",
        "resources.unknown=1",
        "crds.keep=maybe",
        "image.pullPolicy=Often",
    ],
)
def test_a_value_that_the_chart_does_not_know_is_refused(value: str) -> None:
    done = helm("template", "prewarm", str(CHART), f"--set={value}")
    assert done.returncode != 0
    assert value.partition("=")[0].rpartition(".")[2] in done.stderr


def test_the_crds_are_those_of_the_models(rendered: list[dict[str, Any]]) -> None:
    templates = {item["metadata"]["name"]: item["spec"] for item in of_kind(rendered, "CustomResourceDefinition")}
    assert templates == {kind.name.crd_name: custom_resource_definition(kind)["spec"] for kind in KINDS}


def test_the_crds_can_be_left_out() -> None:
    done = helm("template", "prewarm", str(CHART), "--set=crds.enabled=false")
    assert "CustomResourceDefinition" not in done.stdout


@pytest.mark.parametrize(("keep", "annotation"), [("true", "keep"), ("false", None)])
def test_the_crds_outlive_the_release_unless_asked_not_to(keep: str, annotation: str | None) -> None:
    done = helm("template", "prewarm", str(CHART), f"--set=crds.keep={keep}")
    crds = of_kind([item for item in yaml.safe_load_all(done.stdout) if item], "CustomResourceDefinition")
    assert {item["metadata"]["name"] for item in crds} == CRDS
    for item in crds:
        assert item["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == annotation


class Braced(ApiModel):
    """Text such as {{ .Values.nothing }} and }} is not a template."""

    text: str = Field(default="{{ x }}", description="A prompt with {{placeholders}}.")


def test_braces_in_a_description_reach_the_cluster_as_text(tmp_path: Path) -> None:
    kind = Kind(names.ResourceName("Braced", "braceds", "braced", "br"), Braced, ())
    chart = tmp_path / "prewarm"
    shutil.copytree(CHART, chart)
    (chart / "templates" / "crds" / "braced.yaml").write_text(chart_template(kind))
    done = helm("template", "prewarm", str(chart), "--show-only=templates/crds/braced.yaml")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["spec"] == custom_resource_definition(kind)["spec"]
