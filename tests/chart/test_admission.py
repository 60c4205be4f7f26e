"""Every shape of a release is taken by a real API server as it is: each object by a dry run with strict validation."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from apiserver import ApiServer
from helmcli import CHART, helm, of_kind, only, render

MONITORING = {name: {"enabled": True} for name in ("serviceMonitor", "podMonitor", "prometheusRule")}
LABELED = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
TERM = {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"

RELEASES: dict[str, dict[str, Any]] = {
    "default": {},
    "namespaced": {"watchNamespaces": ["team-a", "team-b"]},
    "one replica": {"replicas": 1},
    "pinned": {
        "image": {"digest": "sha256:" + 64 * "0"},
        "agentImage": {"repository": "example.com/agent", "tag": "1", "digest": "sha256:" + 64 * "1"},
        "imagePullSecrets": [{"name": "registry"}],
        "serviceAccount": {"name": "mine", "annotations": {"example.com/role": "x"}},
    },
    "placed": {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [TERM]}}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "prewarm"}},
            }
        ],
        "priorityClassName": "system-cluster-critical",
        "podLabels": {"team": "platform"},
        "podAnnotations": {"example.com/scrape": "true"},
        "extraEnv": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
    },
    "monitored": {
        **{name: {"enabled": True, "labels": {"release": "prometheus"}} for name in MONITORING},
        "serviceMonitor": {"enabled": True, "interval": "30s"},
        "podMonitor": {"enabled": True, "interval": "15s"},
    },
    "monitored in namespaces": {**MONITORING, "watchNamespaces": ["team-a"]},
    "behind a network policy": {
        "networkPolicy": {
            "enabled": True,
            "apiServerPorts": [16443],
            "metricsFrom": [
                {"namespaceSelector": LABELED},
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
            ],
        }
    },
}


@pytest.fixture(scope="module")
def cluster(control_plane: ApiServer) -> ApiServer:
    """A cluster with the namespaces and the kinds that the releases need."""
    for name in ("prewarm-system", "team-a", "team-b"):
        assert control_plane.kubectl("create", "namespace", name).returncode == 0
    # Enforced, so that a pod that breaks the rules is refused, and the others raise no warning.
    restricted = "pod-security.kubernetes.io/enforce=restricted"
    assert control_plane.kubectl("label", "namespace", "prewarm-system", restricted).returncode == 0
    crds = ("-f", str(Path(__file__).parent / "monitoring_crds.yaml"))
    for command in (("apply", *crds), ("wait", "--for=condition=Established", "--timeout=30s", *crds)):
        done = control_plane.kubectl(*command)
        assert done.returncode == 0, done.stderr
    return control_plane


@pytest.mark.parametrize("values", RELEASES.values(), ids=RELEASES)
def test_every_object_is_accepted_as_it_is(cluster: ApiServer, values: dict[str, Any]) -> None:
    rendered = render(values)
    # A pod names a ServiceAccount that a dry run does not create, and admission of pods does not run for Deployments.
    deployment = only(rendered, "Deployment")
    template = deployment["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], **NAMED}}
    done = cluster.kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
        stdin=yaml.safe_dump_all([*rendered, pod]),
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(rendered) + 1
    assert "Warning" not in done.stderr, done.stderr


NAMED = {"name": "operator", "namespace": "prewarm-system"}


def test_a_pod_that_breaks_the_rules_would_be_refused(cluster: ApiServer) -> None:
    """So the test above can fail."""
    template = only(render(), "Deployment")["spec"]["template"]
    spec = {**template["spec"], "securityContext": {"runAsNonRoot": False}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": NAMED, "spec": spec}
    done = cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
    assert 'violates PodSecurity "restricted' in done.stderr


@pytest.mark.parametrize("values", RELEASES.values(), ids=RELEASES)
def test_no_right_is_a_wildcard_and_no_secret_is_readable(values: dict[str, Any]) -> None:
    rendered = render(values)
    roles = of_kind(rendered, "ClusterRole") + of_kind(rendered, "Role")
    assert len(roles) >= 2
    for rule in [rule for role in roles for rule in role["rules"]]:
        words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert not [word for word in words if "*" in word], rule
        assert "secrets" not in rule["resources"], rule


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor", "PrometheusRule"])
def test_monitoring_without_its_kind_is_refused_in_one_sentence(cluster: ApiServer, kind: str) -> None:
    value = kind[0].lower() + kind[1:]
    crd = f"{kind.lower()}s.monitoring.coreos.com"
    where = (f"--kubeconfig={cluster.kubeconfig}", "--namespace=prewarm-system", "--dry-run=server")
    backup = cluster.kubectl("get", "crd", crd, "--output=json").stdout
    assert cluster.kubectl("delete", "crd", crd).returncode == 0
    try:
        refused = helm("install", "prewarm", str(CHART), *where, values={value: {"enabled": True}})
        assert refused.returncode != 0
        assert f"{value}.enabled is true, but the cluster has no {kind} of monitoring.coreos.com/v1" in refused.stderr
    finally:
        cluster.kubectl("create", "-f", "-", stdin=backup)
        cluster.kubectl("wait", "--for=condition=Established", "crd", crd)
    done = helm("install", "prewarm", str(CHART), *where, values={value: {"enabled": True}})
    assert done.returncode == 0, done.stderr
