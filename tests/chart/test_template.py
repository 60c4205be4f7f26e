"""What the chart renders with default values, before any cluster sees it."""

import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from helmcli import CHART, Object, helm, of_kind, only, render
from pydantic import Field

from devcluster.settings import REPOSITORY
from prewarm_operator.api import names
from prewarm_operator.api.crd import KINDS, Kind, custom_resource_definition
from prewarm_operator.api.manifests import chart_template
from prewarm_operator.api.model import ApiModel

CRDS = {kind.name.crd_name for kind in KINDS}
RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def test_the_chart_passes_lint_without_a_warning() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["operator", "agent_image"])
def test_the_default_images_are_those_of_this_version(package: str) -> None:
    project = tomllib.loads((REPOSITORY / package / "pyproject.toml").read_text())["project"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project["version"]


def test_every_object_carries_the_standard_labels(rendered: list[Object]) -> None:
    for item in rendered:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "prewarm", item["kind"]
        assert labels["app.kubernetes.io/instance"] == "prewarm", item["kind"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm", item["kind"]


def test_the_operator_and_the_test_pod_run_under_restricted_pod_security(rendered: list[Object]) -> None:
    for pod in (only(rendered, "Deployment")["spec"]["template"]["spec"], only(rendered, "Pod")["spec"]):
        (container,) = pod["containers"]
        assert pod["securityContext"] == RESTRICTED_POD
        assert container["securityContext"] == RESTRICTED_CONTAINER
        assert "memory" in container["resources"]["limits"]


def test_the_operators_only_writable_place_is_tmp(rendered: list[Object]) -> None:
    pod = only(rendered, "Deployment")["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {}}]


def test_the_operator_knows_where_it_runs(rendered: list[Object]) -> None:
    (container,) = only(rendered, "Deployment")["spec"]["template"]["spec"]["containers"]
    fields = {entry["name"]: entry["valueFrom"]["fieldRef"] for entry in container["env"] if "valueFrom" in entry}
    assert fields == {
        "PREWARM_NAMESPACE": {"fieldPath": "metadata.namespace"},
        "PREWARM_POD_NAME": {"fieldPath": "metadata.name"},
    }


def test_services_of_the_namespace_do_not_leak_into_the_settings(rendered: list[Object]) -> None:
    # A Service called prewarm-agent would set PREWARM_AGENT_PORT, and more of that prefix.
    assert only(rendered, "Deployment")["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_a_new_operator_is_ready_before_an_old_one_goes(rendered: list[Object]) -> None:
    spec = only(rendered, "Deployment")["spec"]
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    # Long enough to finish a write and to hand the Lease over.
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] >= 15


def test_a_single_replica_has_no_budget_that_would_block_a_drain() -> None:
    rendered = render({"replicas": 1})
    assert of_kind(rendered, "PodDisruptionBudget") == []
    assert "topologySpreadConstraints" not in only(rendered, "Deployment")["spec"]["template"]["spec"]


def test_several_replicas_prefer_different_nodes_and_lose_one_at_a_time_to_a_drain(rendered: list[Object]) -> None:
    budget = only(rendered, "PodDisruptionBudget")["spec"]
    deployment = only(rendered, "Deployment")["spec"]
    (constraint,) = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert budget["maxUnavailable"] == 1
    assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
    assert budget["selector"] == deployment["selector"]
    assert constraint["labelSelector"] == deployment["selector"]


def test_the_metrics_service_leads_to_the_operators_alone(rendered: list[Object]) -> None:
    service = only(rendered, "Service")["spec"]
    template = only(rendered, "Deployment")["spec"]["template"]
    test_pod = only(rendered, "Pod")["metadata"]["labels"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert not service["selector"].items() <= test_pod.items()
    (port,) = service["ports"]
    assert port["targetPort"] in {entry["name"] for entry in template["spec"]["containers"][0]["ports"]}


def test_names_stay_valid_with_the_longest_name_that_helm_allows() -> None:
    done = helm("template", "r" * 53, str(CHART))
    names_ = [
        item["metadata"]["name"] for item in yaml.safe_load_all(done.stdout) if item and item["kind"] == "Service"
    ]
    assert names_ == ["r" * 53 + "-p-metrics"]


def test_the_crds_are_those_of_the_models(rendered: list[Object]) -> None:
    templates = {item["metadata"]["name"]: item["spec"] for item in of_kind(rendered, "CustomResourceDefinition")}
    assert templates == {kind.name.crd_name: custom_resource_definition(kind)["spec"] for kind in KINDS}


@pytest.mark.parametrize(("keep", "annotation"), [(True, "keep"), (False, None)])
def test_the_crds_outlive_the_release_unless_asked_not_to(keep: bool, annotation: str | None) -> None:
    crds = of_kind(render({"crds": {"keep": keep}}), "CustomResourceDefinition")
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


def test_a_pod_cannot_name_an_agent_itself() -> None:
    """A target without the label would let a pod's own one through: pods of pools have no agent yet."""
    (endpoint,) = only(render({"podMonitor": {"enabled": True}}), "PodMonitor")["spec"]["podMetricsEndpoints"]
    default, own = endpoint["relabelings"]
    assert endpoint["honorLabels"] is False
    assert default == {"targetLabel": "agent", "replacement": "-"}
    assert (own["targetLabel"], own["regex"]) == ("agent", "(.+)")


def test_two_ways_to_log_in_to_prometheus_are_refused() -> None:
    values = "prometheus.url=http://p,prometheus.auth.tokenSecret=a,prometheus.auth.basicSecret=b"
    done = helm("template", "prewarm", str(CHART), "--set", values)
    assert "prometheus.auth.tokenSecret and prometheus.auth.basicSecret exclude each other" in done.stderr


def test_secrets_of_prometheus_are_not_mounted_without_its_address() -> None:
    rendered = render({"prometheus": {"auth": {"tokenSecret": "a"}}})
    assert [volume["name"] for volume in only(rendered, "Deployment")["spec"]["template"]["spec"]["volumes"]] == ["tmp"]


def test_the_operator_may_keep_what_its_forecast_has_learned() -> None:
    """In its own namespace, also where it watches others alone."""
    roles = of_kind(render({"watchNamespaces": ["team-a"]}), "Role")
    (own,) = [role for role in roles if role["metadata"]["namespace"] == "prewarm-system"]
    assert {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "create", "patch", "delete"]} in own[
        "rules"
    ]
