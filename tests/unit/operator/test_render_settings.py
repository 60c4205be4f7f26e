"""What the typed fields become in the pod template and the Service."""

from typing import Any

import pytest
from unit.operator.builders import IMAGE, agent, rendered

from prewarm_operator.api import names
from prewarm_operator.render import config_map, meta, template

Object = dict[str, Any]
FOREIGN = {"container": {"image": "example.com/own:2", "port": 9000, "warmupPath": "/warm"}}


def pods(**spec: Any) -> Object:
    of = agent(**spec)
    return dict(template.render(of, config_map.render(of), IMAGE).body)


def test_nothing_that_was_not_asked_for_is_in_the_pod() -> None:
    assert pods()["spec"].keys() == {
        "automountServiceAccountToken",
        "containers",
        "enableServiceLinks",
        "securityContext",
        "terminationGracePeriodSeconds",
        "volumes",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("imagePullSecrets", [{"name": "registry"}], id="pull-secrets"),
        pytest.param("serviceAccountName", "support", id="service-account"),
        pytest.param("nodeSelector", {"pool": "a"}, id="node-selector"),
        pytest.param("tolerations", [{"key": "gpu", "operator": "Exists", "tolerationSeconds": 5}], id="tolerations"),
        pytest.param("affinity", {"podAntiAffinity": {}}, id="affinity"),
        pytest.param("priorityClassName", "high", id="priority"),
        pytest.param("automountServiceAccountToken", True, id="token"),
    ],
)
def test_a_field_of_the_pod_is_passed_on_as_it_was_written(field: str, value: Any) -> None:
    assert pods(**{field: value})["spec"][field] == value


def test_there_is_no_token_for_the_api_unless_it_is_asked_for() -> None:
    assert pods()["spec"]["automountServiceAccountToken"] is False


def test_a_spread_without_a_selector_means_the_agents_own_pods_and_one_with_a_selector_stays() -> None:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    selected = constraint | {"whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": "x"}}}
    assert pods(topologySpreadConstraints=[constraint, selected])["spec"]["topologySpreadConstraints"] == [
        constraint | {"labelSelector": {"matchLabels": {"prewarm.dev/agent": "support"}}},
        selected,
    ]


def test_volumes_are_added_to_ours_and_mounted_where_it_was_asked() -> None:
    volume = {"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}
    mount = {"name": "cache", "mountPath": "/cache", "readOnly": True}
    found = pods(volumes=[volume], volumeMounts=[mount])["spec"]
    assert [each["name"] for each in found["volumes"]] == ["tmp", "agent", "cache"]
    assert mount in found["containers"][0]["volumeMounts"]


def test_a_models_key_comes_before_the_variables_that_may_refer_to_it() -> None:
    key = {"envVar": "GEMINI_API_KEY", "apiKeySecretRef": {"name": "model", "key": "api-key"}}
    env = pods(models=[key], env=[{"name": "COPY", "value": "$(GEMINI_API_KEY)"}])["spec"]["containers"][0]["env"]
    assert env == [
        {"name": "GEMINI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "model", "key": "api-key"}}},
        {"name": "COPY", "value": "$(GEMINI_API_KEY)"},
    ]


def test_meshes_leave_the_probe_port_alone_and_the_users_own_word_wins() -> None:
    key = "traffic.sidecar.istio.io/excludeInboundPorts"
    assert pods()["metadata"]["annotations"][key] == "8081"
    assert pods(podAnnotations={key: "8081,9090"})["metadata"]["annotations"][key] == "8081,9090"
    assert key not in pods(agent=FOREIGN)["metadata"]["annotations"]
    own_port = {"container": {**FOREIGN["container"], "probePort": 9001}}
    assert pods(agent=own_port)["metadata"]["annotations"][key] == "9001"


def test_every_label_of_ours_is_one_that_users_are_refused() -> None:
    own = template.selector(agent()) | meta.child_labels("support")
    assert all(label.startswith("prewarm.dev/") or label in names.RECOMMENDED_LABELS for label in own)
    assert own.items() <= pods(podLabels={"team": "a"})["metadata"]["labels"].items()
    assert pods(podLabels={"team": "a"})["metadata"]["labels"]["team"] == "a"


def test_the_service_is_plain_unless_it_is_asked_to_be_more() -> None:
    plain = rendered(agent()).service
    assert (plain["spec"]["type"], plain["spec"]["ports"][0]["port"]) == ("ClusterIP", 80)
    settings = {"type": "LoadBalancer", "port": 8000, "annotations": {"a": "b"}}
    asked = rendered(agent(service=settings)).service
    assert (asked["spec"]["type"], asked["spec"]["ports"][0]["port"]) == ("LoadBalancer", 8000)
    assert asked["metadata"]["annotations"]["a"] == "b"


def test_another_service_is_no_new_revision_of_the_pods() -> None:
    assert pods() == pods(service={"type": "NodePort"})
