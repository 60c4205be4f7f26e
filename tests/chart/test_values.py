"""Every value of the chart does what it says, and nothing else is taken for a value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from helmcli import CHART, Object, helm, of_kind, only, render

from prewarm_chart.values import Section, Values

Rendered = list[Object]

DIGEST = "sha256:" + 64 * "a"
ENV = {"name": "EXTRA", "value": "1"}
NODE = {"kubernetes.io/arch": "arm64"}
NODE_AFFINITY: Object = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
SPREAD = {"maxSkew": 2, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
TOLERATION = {"key": "system", "operator": "Exists"}


def pod(rendered: Rendered) -> Any:
    return only(rendered, "Deployment")["spec"]["template"]


def container(rendered: Rendered) -> Any:
    return pod(rendered)["spec"]["containers"][0]


def agent_image(rendered: Rendered) -> Any:
    return {entry["name"]: entry for entry in container(rendered)["env"]}["PREWARM_AGENT_IMAGE"]["value"]


def variable(name: str) -> Callable[[Rendered], Any]:
    """Of the operator's environment."""
    return lambda rendered: {entry["name"]: entry for entry in container(rendered)["env"]}[name]["value"]


def both_pods(field: str) -> Callable[[Rendered], Any]:
    """What operator and test pod have in common in a field of their spec."""

    def read(rendered: Rendered) -> Any:
        test_pod = only(rendered, "Pod")["spec"][field]
        assert pod(rendered)["spec"][field] == test_pod
        return test_pod

    return read


URL = ("prometheus.url", "http://prometheus:9090")


def prometheus(variable: str) -> Callable[[Rendered], Any]:
    """The value of a variable about Prometheus; files with the Secret and key that they come from."""

    def read(rendered: Rendered) -> Any:
        value = {entry["name"]: entry for entry in container(rendered)["env"]}[f"PREWARM_PROMETHEUS_{variable}"][
            "value"
        ]
        if not variable.endswith("_FILE"):
            return value
        (mount,) = [mount for mount in container(rendered)["volumeMounts"] if mount["name"] == "prometheus"]
        (volume,) = [volume for volume in pod(rendered)["spec"]["volumes"] if volume["name"] == "prometheus"]
        secrets = [source["secret"] for source in volume["projected"]["sources"]]
        files = {f"{mount['mountPath']}/{i['path']}": (s["name"], i["key"]) for s in secrets for i in s["items"]}
        return files[value]

    return read


def crds(rendered: Rendered) -> Any:
    return of_kind(rendered, "CustomResourceDefinition")


def endpoint(kind: str, field: str) -> Callable[[Rendered], Any]:
    return lambda rendered: only(rendered, kind)["spec"][field][0]["interval"]


@dataclass(frozen=True)
class Case:
    """Value `path` set to `value`, beside `others`, makes `read` of what is rendered be `expected`."""

    path: str
    value: Any
    read: Callable[[Rendered], Any]
    expected: Any
    others: tuple[tuple[str, Any], ...] = ()


CASES = (
    Case("replicas", 3, lambda r: only(r, "Deployment")["spec"]["replicas"], 3),
    Case("image.repository", "example.com/op", lambda r: container(r)["image"], "example.com/op:0.2.0"),
    Case("image.tag", "00215e6", lambda r: container(r)["image"], "localhost/prewarm-operator:00215e6"),
    Case("image.digest", DIGEST, lambda r: container(r)["image"], f"localhost/prewarm-operator@{DIGEST}"),
    Case("image.pullPolicy", "Always", lambda r: container(r)["imagePullPolicy"], "Always"),
    Case("agentImage.repository", "example.com/agent", agent_image, "example.com/agent:0.2.0"),
    Case("agentImage.tag", "20261125", agent_image, "localhost/prewarm-agent:20261125"),
    Case("agentImage.digest", DIGEST, agent_image, f"localhost/prewarm-agent:7@{DIGEST}", (("agentImage.tag", "7"),)),
    Case("imagePullSecrets", [{"name": "registry"}], both_pods("imagePullSecrets"), [{"name": "registry"}]),
    Case(
        "watchNamespaces",
        ["a", "b"],
        lambda r: next(entry["value"] for entry in container(r)["env"] if entry["name"] == "PREWARM_WATCH_NAMESPACES"),
        "a,b",
    ),
    Case("resources", {"limits": {"cpu": 10000000}}, lambda r: container(r)["resources"]["limits"]["cpu"], 10000000),
    Case("extraEnv", [ENV], lambda r: container(r)["env"][-1], ENV),
    Case("podAnnotations", {"a/b": "8181"}, lambda r: pod(r)["metadata"]["annotations"]["a/b"], "8181"),
    Case("podLabels", {"team": "x"}, lambda r: pod(r)["metadata"]["labels"]["team"], "x"),
    Case("nodeSelector", NODE, both_pods("nodeSelector"), NODE),
    Case("tolerations", [TOLERATION], both_pods("tolerations"), [TOLERATION]),
    Case("affinity", NODE_AFFINITY, lambda r: pod(r)["spec"]["affinity"], NODE_AFFINITY),
    Case("topologySpreadConstraints", [SPREAD], lambda r: pod(r)["spec"]["topologySpreadConstraints"], [SPREAD]),
    Case("priorityClassName", "high", lambda r: pod(r)["spec"]["priorityClassName"], "high"),
    Case("podDisruptionBudget.enabled", False, lambda r: of_kind(r, "PodDisruptionBudget"), []),
    Case(
        "serviceAccount.create",
        False,
        lambda r: of_kind(r, "ServiceAccount"),
        [],
        (("serviceAccount.name", "mine"),),
    ),
    Case("serviceAccount.name", "mine", lambda r: pod(r)["spec"]["serviceAccountName"], "mine"),
    Case(
        "serviceAccount.annotations",
        {"role": "x"},
        lambda r: only(r, "ServiceAccount")["metadata"]["annotations"],
        {"role": "x"},
    ),
    Case(
        "rbac.aggregate", False, lambda r: [role["metadata"]["name"] for role in of_kind(r, "ClusterRole")], ["prewarm"]
    ),
    Case(
        "networkPolicy.enabled",
        True,
        lambda r: only(r, "NetworkPolicy")["spec"]["ingress"],
        [{"ports": [{"port": "http"}]}],
    ),
    Case(
        "networkPolicy.apiServerPorts",
        [16443],
        lambda r: only(r, "NetworkPolicy")["spec"]["egress"][0],
        {"ports": [{"port": 16443}]},
        (("networkPolicy.enabled", True),),
    ),
    Case(
        "networkPolicy.prometheusPorts",
        [9091],
        lambda r: only(r, "NetworkPolicy")["spec"]["egress"][2],
        {"ports": [{"port": 9091}]},
        (("networkPolicy.enabled", True), URL),
    ),
    Case(
        "networkPolicy.metricsFrom",
        [PEER],
        lambda r: only(r, "NetworkPolicy")["spec"]["ingress"][0]["from"][0],
        PEER,
        (("networkPolicy.enabled", True),),
    ),
    Case(*URL, prometheus("URL"), "http://prometheus:9090"),
    Case("prometheus.headers", {"X-Scope-OrgID": "t"}, prometheus("HEADERS"), '{"X-Scope-OrgID":"t"}', (URL,)),
    Case("prometheus.auth.tokenSecret", "s", prometheus("TOKEN_FILE"), ("s", "token"), (URL,)),
    Case(
        "prometheus.auth.tokenKey",
        "k",
        prometheus("TOKEN_FILE"),
        ("s", "k"),
        (URL, ("prometheus.auth.tokenSecret", "s")),
    ),
    Case("prometheus.auth.basicSecret", "s", prometheus("PASSWORD_FILE"), ("s", "password"), (URL,)),
    Case("prometheus.auth.caSecret", "s", prometheus("CA_FILE"), ("s", "ca.crt"), (URL,)),
    Case("prometheus.auth.caKey", "k", prometheus("CA_FILE"), ("s", "k"), (URL, ("prometheus.auth.caSecret", "s"))),
    Case("prometheus.auth.certificateSecret", "s", prometheus("KEY_FILE"), ("s", "tls.key"), (URL,)),
    Case("serviceMonitor.enabled", True, lambda r: only(r, "ServiceMonitor")["spec"]["endpoints"], [{"port": "http"}]),
    Case(
        "serviceMonitor.labels",
        {"release": "p"},
        lambda r: only(r, "ServiceMonitor")["metadata"]["labels"]["release"],
        "p",
        (("serviceMonitor.enabled", True),),
    ),
    Case(
        "serviceMonitor.interval",
        "30s",
        endpoint("ServiceMonitor", "endpoints"),
        "30s",
        (("serviceMonitor.enabled", True),),
    ),
    Case("podMonitor.enabled", True, lambda r: only(r, "PodMonitor")["spec"]["namespaceSelector"], {"any": True}),
    Case(
        "podMonitor.labels",
        {"release": "p"},
        lambda r: only(r, "PodMonitor")["metadata"]["labels"]["release"],
        "p",
        (("podMonitor.enabled", True),),
    ),
    Case(
        "podMonitor.interval",
        "15s",
        endpoint("PodMonitor", "podMetricsEndpoints"),
        "15s",
        (("podMonitor.enabled", True),),
    ),
    Case("prometheusRule.enabled", True, lambda r: len(only(r, "PrometheusRule")["spec"]["groups"]), 1),
    Case(
        "prometheusRule.labels",
        {"release": "p"},
        lambda r: only(r, "PrometheusRule")["metadata"]["labels"]["release"],
        "p",
        (("prometheusRule.enabled", True),),
    ),
    Case(
        "prometheusRule.slowStartSeconds",
        10000000,
        lambda r: "> 10000000\n" in only(r, "PrometheusRule")["spec"]["groups"][0]["rules"][-1]["expr"],
        True,
        (("prometheusRule.enabled", True),),
    ),
    Case("nodeHeadroom.mode", "CapacityBuffer", variable("PREWARM_NODE_HEADROOM"), "CapacityBuffer"),
    Case("nodeHeadroom.placeholderImage", "example.com/p:1", variable("PREWARM_PLACEHOLDER_IMAGE"), "example.com/p:1"),
    Case("nodeHeadroom.priorityClassName", "low", variable("PREWARM_PLACEHOLDER_PRIORITY_CLASS"), "low"),
    Case("crds.enabled", False, crds, []),
    Case("crds.keep", False, lambda r: [item["metadata"].get("annotations") for item in crds(r)], [None]),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_a_value_does_what_it_says(case: Case) -> None:
    assert case.read(render(nested(*case.others, (case.path, case.value)))) == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_without_the_value_it_is_not_so(case: Case) -> None:
    """So the test above would fail if the chart ignored the value."""
    rendered = render(nested(*case.others))
    try:
        assert case.read(rendered) != case.expected
    except (KeyError, ValueError):
        return  # what the value brings is not there at all


def test_every_value_is_tried() -> None:
    assert [case.path for case in CASES] == list(paths(Values()))


def nested(*values: tuple[str, Any]) -> dict[str, Any]:
    """Values by their path, as a values file has them."""
    file: dict[str, Any] = {}
    for path, value in values:
        *sections, name = path.split(".")
        section = file
        for step in sections:
            section = section.setdefault(step, {})
        section[name] = value
    return file


def paths(section: Section, prefix: str = "") -> list[str]:
    found = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        path = f"{prefix}{field.alias}"
        found += paths(value, f"{path}.") if isinstance(value, Section) else [path]
    return found


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"unknown": 1}, "at '': additional properties 'unknown' not allowed"),
        ({"image": {"unknown": 1}}, "at '/image': additional properties 'unknown' not allowed"),
        ({"resources": {"limit": {}}}, "at '/resources': additional properties 'limit' not allowed"),
        (
            {"affinity": {"nodeaffinity": {}}},
            "at '/affinity': additional properties 'nodeaffinity' not allowed",
        ),
        ({"tolerations": [{"operators": "Exists"}]}, "additional properties 'operators' not allowed"),
        ({"crds": {"keep": "maybe"}}, "at '/crds/keep': got string, want boolean"),
        ({"image": {"pullPolicy": "Often"}}, "at '/image/pullPolicy': value must be one of"),
        ({"image": {"tag": 20261125}}, "at '/image/tag': got number, want string"),
        ({"image": {"digest": "latest"}}, "at '/image/digest': 'latest' does not match pattern"),
        ({"podAnnotations": {"port": 8181}}, "at '/podAnnotations/port': got number, want string"),
        ({"nodeSelector": {"gpu": True}}, "at '/nodeSelector/gpu': got boolean, want string"),
        ({"replicas": 0}, "at '/replicas': minimum: got 0, want 1"),
        ({"replicas": None}, "missing property 'replicas'"),
        ({"watchNamespaces": ["Team-A"]}, "at '/watchNamespaces/0': 'Team-A' does not match pattern"),
        ({"nodeHeadroom": {"mode": "Off"}}, "at '/nodeHeadroom/mode': value must be one of"),
        (
            {"nodeHeadroom": {"mode": "Auto"}, "watchNamespaces": ["a"]},
            "name a PriorityClass that exists, of a value below 0, in nodeHeadroom.priorityClassName",
        ),
        ({"serviceAccount": {"create": False}}, "name the ServiceAccount that exists in serviceAccount.name"),
    ],
    ids=str,
)
def test_what_is_not_a_value_is_refused_with_its_place(values: dict[str, Any], sentence: str) -> None:
    done = helm("template", "prewarm", str(CHART), values=values)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_large_numbers_are_not_written_as_fractions() -> None:
    many = 10000000
    rendered = render(
        {
            "replicas": many,
            "resources": {"limits": {"memory": many}},
            "tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": many}],
            "topologySpreadConstraints": [{**SPREAD, "maxSkew": many}],
        }
    )
    spec = pod(rendered)["spec"]
    numbers = (
        only(rendered, "Deployment")["spec"]["replicas"],
        spec["containers"][0]["resources"]["limits"]["memory"],
        spec["tolerations"][0]["tolerationSeconds"],
        spec["topologySpreadConstraints"][0]["maxSkew"],
    )
    assert numbers == (many, many, many, many)
    assert [type(number) for number in numbers] == [int] * 4


def test_a_limit_can_be_taken_out_by_null() -> None:
    assert container(render({"resources": {"limits": None}}))["resources"] == {
        "requests": {"cpu": "50m", "memory": "128Mi"}
    }


def test_labels_that_select_the_operators_pods_cannot_be_overwritten() -> None:
    labels = {"app.kubernetes.io/name": "other", "app.kubernetes.io/component": "other"}
    rendered = render({"podLabels": labels})
    selector = only(rendered, "Deployment")["spec"]["selector"]["matchLabels"]
    assert pod(rendered)["metadata"]["labels"] == selector


def test_an_umbrella_chart_may_hand_its_global_values_down() -> None:
    assert render({"global": {"imageRegistry": "example.com"}}) == render()


@pytest.mark.parametrize("mode", ["Auto", "Placeholder"])
def test_placeholders_have_a_priority_class_that_gives_way_and_still_gets_a_node(mode: str) -> None:
    rendered = render({"nodeHeadroom": {"mode": mode}})
    found = only(rendered, "PriorityClass")
    assert (found["value"], found["preemptionPolicy"], found["globalDefault"]) == (-10, "Never", False)
    assert found["metadata"]["name"] == variable("PREWARM_PLACEHOLDER_PRIORITY_CLASS")(rendered)


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "Disabled"},
        {"mode": "CapacityBuffer"},
        {"mode": "Auto", "priorityClassName": "low"},
    ],
    ids=str,
)
def test_without_placeholders_of_its_own_class_a_release_makes_none(values: dict[str, Any]) -> None:
    assert of_kind(render({"nodeHeadroom": values}), "PriorityClass") == []


def test_a_namespaced_release_keeps_places_by_a_class_that_exists() -> None:
    headroom = {"mode": "Auto", "priorityClassName": "low"}
    rendered = render({"nodeHeadroom": headroom, "watchNamespaces": ["a"], "crds": {"enabled": False}})
    assert of_kind(rendered, "PriorityClass") + of_kind(rendered, "ClusterRole") == []


def test_placeholders_alone_need_no_more_rights() -> None:
    """The operator has those for Deployments already."""
    assert of_kind(render({"nodeHeadroom": {"mode": "Placeholder"}}), "ClusterRole") == of_kind(render(), "ClusterRole")
