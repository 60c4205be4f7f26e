"""The built-in roles of the cluster, once the controller-manager has gathered ours in them."""

import pytest
from cluster.eventually import eventually
from cluster.operator_release import OperatorRelease
from cluster.sandbox import Sandbox

AGENTS = "agentdeployments.prewarm.dev"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("view", {"get", "list", "watch"}),
        ("edit", {"get", "list", "watch", "create", "update", "patch", "delete"}),
        ("admin", {"get", "list", "watch", "create", "update", "patch", "delete"}),
    ],
)
def test_a_built_in_role_covers_agents(
    sandbox: Sandbox, operator: OperatorRelease, role: str, allowed: set[str]
) -> None:
    person = f"{role}-of-{sandbox.name}"
    sandbox.kube.kubectl(
        *("create", "rolebinding", role, f"--clusterrole={role}", f"--user={person}", f"--namespace={sandbox.name}")
    )

    def verbs() -> set[str]:
        listed = sandbox.kube.kubectl("auth", "can-i", "--list", f"--as={person}", f"--namespace={sandbox.name}")
        (line,) = [line for line in listed.splitlines() if line.split()[0] == AGENTS] or [""]
        return set(line.rpartition("[")[2].rstrip("]").split())

    found = eventually(f"role {role} covers agents", verbs, lambda seen: allowed <= seen, seconds=20)
    assert found - {"deletecollection"} == allowed
