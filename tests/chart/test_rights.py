"""Who may do what, as a real API server decides it."""

import json

import pytest
from apiserver import ApiServer
from helmcli import CHART, Object, helm, of_kind, render

ADMINISTRATOR, EDITOR, VIEWER = "administrator", "editor", "viewer"
AGENT = {
    "apiVersion": "prewarm.dev/v1alpha1",
    "kind": "AgentDeployment",
    "metadata": {"name": "support"},
    "spec": {"agent": {"entrypoint": "agents:build"}},
}
# What kube-controller-manager, which does not run here, would gather in the roles admin, edit and view by these labels.
GATHERED = {
    ADMINISTRATOR: "aggregate-to-admin",
    EDITOR: "aggregate-to-edit",
    VIEWER: "aggregate-to-view",
}
INHERITED = {ADMINISTRATOR: (EDITOR, VIEWER), EDITOR: (VIEWER,), VIEWER: ()}


@pytest.fixture(scope="module")
def cluster(control_plane: ApiServer) -> ApiServer:
    """A cluster as the installation guide prepares it for installations into namespaces, and people in two of them."""
    prepared = helm(
        *("template", "prewarm", str(CHART), "--show-only=templates/crds/*", "--show-only=templates/rbac/people.yaml")
    )
    applied = control_plane.kubectl("apply", "--server-side", "-f", "-", stdin=prepared.stdout)
    assert applied.returncode == 0, applied.stderr
    control_plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    names = ("team-a", "team-b", "team-c")
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    bindings = [
        binding(namespace, role, person)
        for person in GATHERED
        for role in roles_of(control_plane, person)
        for namespace in names[:2]
    ]
    everything = json.dumps({"apiVersion": "v1", "kind": "List", "items": namespaces + bindings})
    created = control_plane.kubectl("create", "-f", "-", stdin=everything)
    assert created.returncode == 0, created.stderr
    return control_plane


def roles_of(cluster: ApiServer, person: str) -> list[str]:
    selector = f"--selector=rbac.authorization.k8s.io/{GATHERED[person]}=true"
    found = cluster.kubectl("get", "clusterroles", selector, "--output=jsonpath={.items[*].metadata.name}")
    # edit and view are empty here: these are the built-in roles that would be gathered in them.
    built_in = [f"system:{GATHERED[part]}" for part in (person, *INHERITED[person])]
    return list({*found.stdout.split(), *built_in})


def binding(namespace: str, role: str, person: str) -> Object:
    group = {"apiGroup": "rbac.authorization.k8s.io"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{person}-{role}", "namespace": namespace},
        "roleRef": {**group, "kind": "ClusterRole", "name": role},
        "subjects": [{**group, "kind": "User", "name": person}],
    }


def may(cluster: ApiServer, person: str, verb: str, resource: str) -> bool:
    resource, _, subresource = resource.partition("/")
    arguments = (f"--subresource={subresource}", f"--as={person}", "--namespace=team-a")
    return cluster.kubectl("auth", "can-i", verb, resource, *arguments).stdout.strip() == "yes"


@pytest.mark.parametrize(
    ("verb", "resource", "people"),
    [
        ("get", "agentdeployments.prewarm.dev", {ADMINISTRATOR, EDITOR, VIEWER}),
        ("watch", "agentdeployments.prewarm.dev", {ADMINISTRATOR, EDITOR, VIEWER}),
        ("get", "agentdeployments.prewarm.dev/scale", {ADMINISTRATOR, EDITOR, VIEWER}),
        ("get", "agentdeployments.prewarm.dev/status", {ADMINISTRATOR, EDITOR, VIEWER}),
        ("create", "agentdeployments.prewarm.dev", {ADMINISTRATOR, EDITOR}),
        ("patch", "agentdeployments.prewarm.dev", {ADMINISTRATOR, EDITOR}),
        ("delete", "agentdeployments.prewarm.dev", {ADMINISTRATOR, EDITOR}),
        ("patch", "agentdeployments.prewarm.dev/scale", {ADMINISTRATOR, EDITOR}),
        ("patch", "agentdeployments.prewarm.dev/status", {ADMINISTRATOR}),
        ("update", "agentdeployments.prewarm.dev/finalizers", {ADMINISTRATOR}),
    ],
)
def test_who_may_do_what_to_agents(cluster: ApiServer, verb: str, resource: str, people: set[str]) -> None:
    assert {person for person in GATHERED if may(cluster, person, verb, resource)} == people


def test_nobody_may_create_agents_who_may_not_create_pods(cluster: ApiServer) -> None:
    for person in GATHERED:
        creates_agents = may(cluster, person, "create", "agentdeployments.prewarm.dev")
        assert creates_agents == may(cluster, person, "create", "pods")


def test_an_editor_makes_scales_and_deletes_an_agent(cluster: ApiServer) -> None:
    who = ("--as=editor", "--namespace=team-a")
    for arguments, stdin in (
        (("create", "-f", "-"), json.dumps(AGENT)),
        (("scale", "pwad/support", "--replicas=3"), None),
        (("delete", "pwad/support"), None),
    ):
        done = cluster.kubectl(*arguments, *who, stdin=stdin)
        assert done.returncode == 0, done.stderr


def test_a_namespaced_release_has_no_cluster_role_at_all() -> None:
    rendered = render({"watchNamespaces": ["team-a", "team-b"], "crds": {"enabled": False}})
    assert of_kind(rendered, "ClusterRole") + of_kind(rendered, "ClusterRoleBinding") == []
    namespaces = [role["metadata"]["namespace"] for role in of_kind(rendered, "Role")]
    assert sorted(namespaces) == ["prewarm-system", "team-a", "team-b"]


def test_the_rights_in_a_namespace_are_those_in_the_cluster() -> None:
    (cluster_role,) = [role for role in of_kind(render(), "ClusterRole") if role["metadata"]["name"] == "prewarm"]
    rendered = render({"watchNamespaces": ["team-a"]})
    (role,) = [role for role in of_kind(rendered, "Role") if role["metadata"]["namespace"] == "team-a"]
    assert role["rules"] == cluster_role["rules"]


def test_the_administrator_of_two_namespaces_installs_an_operator_for_them(cluster: ApiServer) -> None:
    where = (f"--kubeconfig={cluster.kubeconfig}", "--namespace=team-a", f"--kube-as-user={ADMINISTRATOR}")
    values = {"crds": {"enabled": False}, "watchNamespaces": ["team-a", "team-b"]}
    for command in (("install", "prewarm", str(CHART)), ("upgrade", "prewarm", str(CHART), "--set=replicas=1")):
        done = helm(*command, *where, values=values)
        assert done.returncode == 0, done.stderr

    operator = "--as=system:serviceaccount:team-a:prewarm"
    for namespace, answer in (("team-a", "yes"), ("team-b", "yes"), ("team-c", "no")):
        asked = ("auth", "can-i", "create", "deployments.apps", operator, f"--namespace={namespace}")
        assert cluster.kubectl(*asked).stdout.strip() == answer

    done = helm("uninstall", "prewarm", *where)
    assert done.returncode == 0, done.stderr


def test_a_namespace_that_is_missing_is_named(cluster: ApiServer) -> None:
    where = (f"--kubeconfig={cluster.kubeconfig}", "--namespace=team-b")
    values = {"crds": {"enabled": False}, "watchNamespaces": ["nowhere"]}
    done = helm("install", "prewarm", str(CHART), *where, values=values)
    assert done.returncode != 0
    assert 'namespaces "nowhere" not found' in done.stderr
