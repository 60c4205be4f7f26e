"""The operator does its work with the rights that the chart gives it, and never asks for more."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from cluster.eventually import eventually
from cluster.kube import Kube, Object
from cluster.operator_release import NAMESPACE, RELEASE, SERVICE_ACCOUNT, OperatorRelease
from cluster.sandbox import Sandbox

from devcluster.settings import Cache

Right = tuple[str, str, str]
"""API group, resource and verb."""

NOT_CALLED: set[Right] = {
    # Asked for by clusters that check who may set blockOwnerDeletion on a child.
    ("prewarm.dev", "agentdeployments/finalizers", "update"),
    # Only to look at an object that has a child's name already, or that changed while it was being written.
    ("apps", "deployments", "get"),
    ("", "services", "get"),
    ("", "configmaps", "get"),
    ("policy", "poddisruptionbudgets", "get"),
    # A minute after a revision has gone out of history.
    ("", "configmaps", "delete"),
    # By the first replica that there ever was.
    ("coordination.k8s.io", "leases", "create"),
    # To put a label of ours back that a hand took off a pod.
    ("", "pods", "patch"),
}


def test_a_whole_life_needs_every_right_that_the_chart_gives_and_no_other(
    sandbox: Sandbox, operator: OperatorRelease
) -> None:
    began = datetime.now(UTC)
    operator.restart()  # it lists and watches anew
    agent = sandbox.agent()
    agent.wait_until_settled()
    agent.scale(3)
    agent.wait_until_settled()
    agent.say("You are a friendly support agent who asks whether that helped.")
    agent.wait_until_settled()
    agent.delete()
    eventually("its pods are gone", agent.pods, lambda pods: not pods)

    calls = list(_calls_of_the_operator(began))
    assert [call for call in calls if call["annotations"]["authorization.k8s.io/decision"] != "allow"] == []
    used = {_right(call) for call in calls}
    given = _rights_of_the_chart(sandbox.kube)
    assert used <= given
    assert given - used <= NOT_CALLED


def _calls_of_the_operator(since: datetime) -> Iterator[Object]:
    """From the audit log of our own cluster. Watches stand in it when they begin."""
    with (Cache.from_environment().run / "audit.log").open() as log:
        for line in log:
            call = json.loads(line)
            began = datetime.fromisoformat(call["requestReceivedTimestamp"])
            if call["user"]["username"] == SERVICE_ACCOUNT and began > since and "objectRef" in call:
                yield call


def _right(call: Object) -> Right:
    of = call["objectRef"]
    resource = "/".join(part for part in (of["resource"], of.get("subresource")) if part)
    return of.get("apiGroup", ""), resource, call["verb"]


def _rights_of_the_chart(kube: Kube) -> set[Right]:
    cluster_role = json.loads(kube.kubectl("get", "clusterrole", RELEASE, "-o", "json"))
    roles = json.loads(kube.kubectl("get", "roles", f"--namespace={NAMESPACE}", "-o", "json"))["items"]
    return {
        (group, resource, verb)
        for role in (cluster_role, *roles)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
