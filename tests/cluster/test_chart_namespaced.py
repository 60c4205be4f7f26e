"""An operator for one namespace, installed by the administrator of that namespace, who has no other rights."""

from collections.abc import Callable, Iterator

import pytest
from cluster.eventually import eventually
from cluster.kube import Kube
from cluster.operator_release import RELEASE, OperatorRelease
from cluster.sandbox import Sandbox

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
ADMINISTRATOR = "administrator-of-a-team"
NEEDED = "agentdeployments.prewarm.dev/status"


@pytest.fixture
def prepared(kube: Kube, operator: OperatorRelease) -> Iterator[Kube]:
    """No release for the whole cluster; kinds and roles as the installation guide has its administrator apply them."""
    with operator.uninstalled():
        parts = ("--show-only=templates/crds/*", "--show-only=templates/rbac/people.yaml")
        # As Helm's own, so that the release that comes back finds no other owner of its fields.
        kube.kubectl(
            *("apply", "--server-side", "--field-manager=helm", "--force-conflicts", "--filename=-"),
            stdin=kube.helm("template", RELEASE, "charts/prewarm", *parts),
        )
        yield kube
        kube.kubectl("delete", "clusterroles", "--selector=app.kubernetes.io/part-of=prewarm")


def test_it_looks_after_its_own_namespace_and_no_other(prepared: Kube, new_sandbox: Callable[..., Sandbox]) -> None:
    own, other = new_sandbox(RESTRICTED), new_sandbox()
    prepared.kubectl(
        *("create", "rolebinding", "team", "--clusterrole=admin", f"--user={ADMINISTRATOR}"), f"--namespace={own.name}"
    )
    eventually("the administrator has ours among his rights", lambda: rights(own), lambda seen: NEEDED in seen)
    arguments = (f"--namespace={own.name}", f"--kube-as-user={ADMINISTRATOR}")
    prepared.helm(
        *("install", RELEASE, "charts/prewarm", *arguments, "--wait", "--timeout=120s", "--set=crds.enabled=false"),
        *(f"--set=watchNamespaces={{{own.name}}}", "--set=image.tag=dev", "--set=agentImage.tag=dev"),
    )
    ignored = other.agent()
    own.agent().wait_until_settled()
    assert "status" not in ignored.read()
    prepared.helm("uninstall", RELEASE, *arguments, "--wait")


def rights(sandbox: Sandbox) -> str:
    return sandbox.kube.kubectl(*("auth", "can-i", "--list", f"--as={ADMINISTRATOR}", f"--namespace={sandbox.name}"))
