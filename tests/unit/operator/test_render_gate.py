"""What an overlay can change, and what it cannot take away."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.operator.builders import IMAGE, agent, snapshot

from prewarm_operator.decide.decide import decide
from prewarm_operator.render import config_map, template

Object = dict[str, Any]


def pods(overlay: Object | None = None, **spec: Any) -> Object:
    """The pod template of an agent with an overlay of its pods' spec."""
    of = agent(**spec, **({} if overlay is None else {"podTemplate": {"spec": overlay}}))
    return dict(template.render(of, config_map.render(of), IMAGE).body)


def container(rendered: Object, name: str = "agent") -> Object:
    (found,) = [item for item in rendered["spec"]["containers"] if item.get("name") == name]
    return dict(found)


def changed(**fields: Any) -> Object:
    """The agent's container after an overlay of these fields."""
    return container(pods({"containers": [{"name": "agent", **fields}]}))


def test_without_an_overlay_nothing_is_different_from_an_empty_one() -> None:
    assert pods()["spec"]["containers"] == pods({})["spec"]["containers"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"image": "example.com/patched:1"}, id="image"),
        pytest.param({"livenessProbe": {"exec": {"command": ["true"]}}}, id="liveness-probe"),
        pytest.param({"lifecycle": {"preStop": {"exec": {"command": ["sync"]}}}}, id="preStop"),
        pytest.param({"workingDir": "/srv"}, id="field-that-has-no-typed-one"),
    ],
)
def test_the_agents_container_can_be_changed(change: Object) -> None:
    (field,) = change
    assert changed(**change)[field].items() >= change[field].items() if isinstance(change[field], dict) else True
    assert changed(**change)[field] is not None


def test_the_security_context_of_the_pod_can_be_changed() -> None:
    spec = pods({"securityContext": {"runAsNonRoot": False, "fsGroup": 2000}})["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": False,
        "fsGroup": 2000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_the_volume_for_temporary_files_can_be_kept_in_memory() -> None:
    volumes = pods({"volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]})["spec"]["volumes"]
    assert {"name": "tmp", "emptyDir": {"medium": "Memory"}} in volumes


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe"])
def test_the_pace_of_a_gate_is_free_and_what_it_asks_is_not(probe: str) -> None:
    own = container(pods())[probe]
    found = changed(
        **{
            probe: {
                "periodSeconds": 7,
                "httpGet": {"path": "/", "port": 1, "host": "example.com", "scheme": "HTTPS"},
                "tcpSocket": {"port": 1},
            }
        }
    )[probe]
    assert found == own | {"periodSeconds": 7, "httpGet": own["httpGet"] | {"scheme": "HTTPS"}}


@pytest.mark.parametrize("taken_away", [None, {"$patch": "delete"}, {"$patch": "replace", "grpc": {"port": 1}}])
@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe"])
def test_a_gate_cannot_be_taken_away(probe: str, taken_away: Any) -> None:
    assert changed(**{probe: taken_away})[probe]["httpGet"] == container(pods())[probe]["httpGet"]


@pytest.mark.parametrize(
    "overlay",
    [
        pytest.param({"containers": [{"name": "agent", "$patch": "delete"}]}, id="deleted"),
        pytest.param({"containers": [{"$patch": "replace"}, {"name": "other", "image": "x:1"}]}, id="replaced"),
        pytest.param({"containers": None}, id="list-removed"),
        pytest.param({"$patch": "replace", "schedulerName": "mine"}, id="everything-replaced"),
    ],
)
def test_the_agents_container_and_its_spec_cannot_be_taken_away(overlay: Object) -> None:
    found = pods(overlay)
    assert container(found) == container(pods())
    assert found["spec"]["volumes"][-1] == pods()["spec"]["volumes"][-1]


def test_the_mount_of_the_agent_spec_cannot_be_moved() -> None:
    mounts = changed(volumeMounts=[{"mountPath": "/etc/prewarm", "name": "tmp", "subPath": "x"}])["volumeMounts"]
    assert [mount for mount in mounts if mount["mountPath"] == "/etc/prewarm"] == [
        {"name": "agent", "mountPath": "/etc/prewarm", "readOnly": True}
    ]


def test_the_ports_keep_the_names_that_the_service_asks_for() -> None:
    ports = changed(ports=[{"containerPort": 8080, "name": "web"}, {"containerPort": 9090, "name": "metrics"}])["ports"]
    assert {port["containerPort"]: port["name"] for port in ports} == {8080: "http", 8081: "probes", 9090: "metrics"}


def served(rendered: Object) -> int:
    """The port that a Service gets that asks for `http`: the first of that name, as Kubernetes' FindPort has it."""
    ports = [port for item in rendered["spec"]["containers"] for port in item.get("ports", [])]
    return next(int(port["containerPort"]) for port in ports if port.get("name") == "http")


def test_a_sidecar_that_calls_its_port_http_does_not_get_the_users() -> None:
    proxy = {"name": "proxy", "image": "x:1", "ports": [{"containerPort": 9000, "name": "http"}]}
    found = pods({"containers": [proxy]})
    assert served(found) == 8080
    assert container(found, "proxy")["ports"] == proxy["ports"]


def test_other_sidecars_stay_where_the_overlay_puts_them() -> None:
    proxy = {"name": "proxy", "image": "x:1", "ports": [{"containerPort": 9000, "name": "https"}]}
    assert [item["name"] for item in pods({"containers": [proxy]})["spec"]["containers"]] == ["proxy", "agent"]


def test_containers_without_a_security_context_get_the_restricted_one_and_others_keep_theirs() -> None:
    own = {"capabilities": {"add": ["NET_ADMIN"]}}
    overlay = {
        "containers": [{"name": "plain", "image": "x:1"}, {"name": "mesh", "image": "x:1", "securityContext": own}],
        "initContainers": [{"name": "first", "image": "x:1"}],
    }
    spec = pods(overlay)["spec"]
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container({"spec": spec}, "plain")["securityContext"] == restricted
    assert container({"spec": spec}, "mesh")["securityContext"] == own
    assert spec["initContainers"][0]["securityContext"] == restricted


def test_labels_and_annotations_of_the_overlay_win_over_the_typed_ones_and_ours_over_both() -> None:
    of = agent(
        podLabels={"team": "a", "tier": "a"},
        podAnnotations={"note": "a", "kubectl.kubernetes.io/default-container": "proxy"},
        podTemplate={
            "metadata": {"labels": {"team": "b", "prewarm.dev/agent": "stolen"}, "annotations": {"note": "b"}}
        },
    )
    metadata = template.render(of, config_map.render(of), IMAGE).body["metadata"]
    assert (metadata["labels"]["team"], metadata["labels"]["tier"]) == ("b", "a")
    assert metadata["labels"]["prewarm.dev/agent"] == "support"
    assert metadata["annotations"]["note"] == "b"
    assert metadata["annotations"]["kubectl.kubernetes.io/default-container"] == "proxy"


def test_an_overlay_is_a_new_revision() -> None:
    def revision(rendered: Object) -> str:
        return str(rendered["metadata"]["labels"]["prewarm.dev/revision"])

    assert revision(pods()) != revision(pods({"schedulerName": "mine"}))
    assert revision(pods()) != revision(pods(podAnnotations={"checksum": "1"}))


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-1, 9000), st.sampled_from(["", "agent", "x:1", "delete"]))
NAMES = ["name", "image", "env", "ports", "containerPort", "volumeMounts", "mountPath", "configMap"]
FIELDS = st.sampled_from(
    [*NAMES, "startupProbe", "readinessProbe", "httpGet", "securityContext", "$patch", "$retainKeys"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=4)),
    max_leaves=12,
)
ITEMS = st.lists(st.dictionaries(FIELDS, JSON, max_size=5), max_size=3)
OVERLAYS = st.fixed_dictionaries(
    {}, optional={"containers": ITEMS, "initContainers": ITEMS, "volumes": ITEMS, "tolerations": JSON, "$patch": JSON}
)
"""All that the CustomResourceDefinition lets through, as far as names matter."""


@given(OVERLAYS)
@settings(max_examples=100, deadline=None)
def test_whatever_the_overlay_is_the_pod_is_found_and_gated_and_a_decision_is_made(overlay: Object) -> None:
    found = pods(overlay)
    (first, *_) = [item for item in found["spec"]["containers"] if item.get("name") == "agent"]
    assert first["startupProbe"]["httpGet"]["path"] == "/warmupz"
    assert first["readinessProbe"]["httpGet"]["port"] == 8081
    assert found["metadata"]["labels"]["prewarm.dev/agent"] == "support"
    assert decide(snapshot(agent(podTemplate={"spec": overlay}))).writes
