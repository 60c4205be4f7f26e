from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import NO_CHILDREN, agent, pod, rendered, settled_children, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.condition import Verdict
from prewarm_operator.decide.conditions import conditions
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Problem
from prewarm_operator.world.pods import Fault, PodView
from prewarm_operator.world.snapshot import LiveChildren

AGENT = agent(replicas=3, minReplicas=2)
REVISION = rendered(AGENT).revision
PROVIDER = Fault("ProviderNotAllowed", "agent.component.provider: 'os.system' is not on the allow-list")


def verdicts(
    pods: tuple[PodView, ...] = (), live: LiveChildren = NO_CHILDREN, problems: tuple[Problem, ...] = ()
) -> dict[str, Verdict]:
    at = snapshot(AGENT, live, pods)
    return {verdict.type: verdict for verdict in conditions(at, decide(at), problems)}


def ready_pods(count: int, revision: str = REVISION) -> tuple[PodView, ...]:
    return tuple(pod(f"support-{number}", revision, ready=True) for number in range(count))


def test_all_is_well() -> None:
    found = verdicts(ready_pods(3), settled_children(AGENT, 3))
    assert {name: (verdict.status, verdict.reason) for name, verdict in found.items()} == {
        "Ready": ("True", reasons.MINIMUM_SERVES),
        "Warm": ("True", reasons.ALL_WARM),
        "Progressing": ("False", reasons.SETTLED),
        "Reconciling": ("False", reasons.SETTLED),
        "Stalled": ("False", reasons.SETTLED),
        "AgentValid": ("True", reasons.AGENT_LOADED),
        "ScalingActive": ("True", reasons.PREWARM_SCALES),
        "UpToDate": ("True", reasons.LATEST),
    }


def test_agent_is_invalid_as_soon_as_one_pod_of_the_current_revision_says_so() -> None:
    valid = verdicts((*ready_pods(2), pod("support-9", REVISION, fault=PROVIDER)))["AgentValid"]
    assert (valid.status, valid.reason) == ("False", "ProviderNotAllowed")
    assert PROVIDER.message in valid.message
    assert "support-9" in valid.message


@pytest.mark.parametrize("gone", [{"revision": "old"}, {"revision": REVISION, "terminating": True}])
def test_faults_of_other_revisions_and_of_leaving_pods_say_nothing_about_the_spec(gone: dict[str, Any]) -> None:
    assert verdicts((pod("support-9", fault=PROVIDER, **gone),))["AgentValid"].status == "Unknown"


def test_the_old_revision_serves_while_the_new_one_is_invalid() -> None:
    live = settled_children(AGENT, 3)
    found = verdicts((*ready_pods(3, "old"), pod("support-9", REVISION, fault=PROVIDER)), live)
    assert found["Ready"].status == "True"
    assert found["AgentValid"].status == "False"
    assert (found["Progressing"].status, found["Progressing"].reason) == ("False", reasons.STUCK)


def test_a_crash_is_named_but_not_called_invalid() -> None:
    crash = Fault("OOMKilled", "container agent ended with exit code 137")
    valid = verdicts((pod(revision=REVISION, crash=crash),))["AgentValid"]
    assert (valid.status, valid.reason) == ("Unknown", "OOMKilled")


def test_ready_below_the_minimum_counts_both_numbers() -> None:
    ready = verdicts(ready_pods(1))["Ready"]
    assert (ready.status, ready.reason) == ("False", reasons.BELOW_MINIMUM)
    assert "1 warm pods" in ready.message
    assert "minReplicas is 2" in ready.message


def test_warm_says_how_many_are_missing_and_what_keeps_them() -> None:
    warm = verdicts((*ready_pods(2), pod("support-9", REVISION, fault=PROVIDER)))["Warm"]
    assert (warm.status, warm.reason) == ("False", reasons.WARMING_UP)
    assert warm.message.startswith("2 of 3 pods are warm: agent.component.provider")


def test_what_the_api_server_refused_makes_it_not_ready_although_pods_serve() -> None:
    refused = Problem(reasons.CHILD_REFUSED, "Deployment team/support was refused: quota")
    found = verdicts(ready_pods(3), settled_children(AGENT, 3), (refused,))
    assert (found["Ready"].status, found["Ready"].reason) == ("False", reasons.CHILD_REFUSED)
    assert found["Progressing"].reason == reasons.STUCK


COUNTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "pods of the new revision are on their way": (
        {"observedGeneration": 1, "replicas": 4, "updatedReplicas": 1, "availableReplicas": 3},
        "True",
        reasons.ROLLING_OUT,
    ),
    "old pods still leave": (
        {"observedGeneration": 1, "replicas": 4, "updatedReplicas": 3, "availableReplicas": 4},
        "True",
        reasons.ROLLING_OUT,
    ),
    "the Deployment controller has not seen the change": (
        {"observedGeneration": 0, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3},
        "True",
        reasons.ROLLING_OUT,
    ),
    "pods are missing": (
        {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        "True",
        reasons.SCALING,
    ),
    "pods are not available yet": (
        {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 2},
        "True",
        reasons.SCALING,
    ),
    "deadline exceeded": (
        {
            "observedGeneration": 1,
            "replicas": 4,
            "updatedReplicas": 1,
            "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
        },
        "False",
        reasons.STUCK,
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_progressing(name: str) -> None:
    counts, status, reason = COUNTS[name]
    progressing = verdicts((), settled_children(AGENT, 3, counts))["Progressing"]
    assert (progressing.status, progressing.reason) == (status, reason)


def test_a_paused_deployment_is_told_with_the_command_that_resumes_it() -> None:
    live = settled_children(AGENT, 3)
    assert live.deployment is not None
    paused = {**live.deployment, "spec": {**live.deployment["spec"], "paused": True}}
    progressing = verdicts(ready_pods(3), replace(live, deployment=paused))["Progressing"]
    assert (progressing.status, progressing.reason) == ("False", reasons.STUCK)
    assert "kubectl rollout resume deployment/support" in progressing.message


def test_an_unwritten_change_is_progress() -> None:
    live = settled_children(AGENT, 3)
    assert verdicts(ready_pods(3), replace(live, service=None))["Progressing"].status == "True"


def test_a_pod_that_a_quota_keeps_from_being_made_is_told() -> None:
    message = 'pods "support-1-x" is forbidden: exceeded quota: quota'
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    live = settled_children(AGENT, 2, {"observedGeneration": 1, "replicas": 2, "conditions": [failure]})
    warm = verdicts(ready_pods(2), live)["Warm"]
    assert (warm.status, warm.reason) == ("False", reasons.POD_REFUSED)
    assert warm.message == f"2 of 3 pods are warm: {message}"


def test_a_pod_that_no_node_takes_is_told() -> None:
    message = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    warm = verdicts((*ready_pods(2), pod("support-9", REVISION, unschedulable=message)))["Warm"]
    assert (warm.reason, warm.message) == (reasons.UNSCHEDULABLE, f"2 of 3 pods are warm: {message}")


def test_all_faults_are_told_each_once_with_a_pod_that_has_it() -> None:
    secret = Fault("CreateContainerConfigError", 'secret "model-api" not found')
    faults = (PROVIDER, secret, PROVIDER)
    pods = tuple(pod(f"support-{number}", REVISION, fault=fault) for number, fault in enumerate(faults))
    valid = verdicts(pods)["AgentValid"]
    assert valid.reason == PROVIDER.reason
    assert valid.message == f"{PROVIDER.message} (pod support-0); {secret.message} (pod support-1)"


def test_very_many_faults_are_counted() -> None:
    pods = tuple(pod(f"support-{number}", REVISION, fault=Fault("X", f"fault {number}")) for number in range(9))
    assert verdicts(pods)["AgentValid"].message.endswith("fault 2 (pod support-2); and 6 more")


def kstatus(pods: tuple[PodView, ...], live: LiveChildren, problems: tuple[Problem, ...] = ()) -> str:
    """As sigs.k8s.io/cli-utils computes it for a kind that it does not know, once observedGeneration is current."""
    found = verdicts(pods, live, problems)
    if found["Reconciling"].status == "True":
        return "InProgress"
    if found["Stalled"].status == "True":
        return "Failed"
    return {"True": "Current"}.get(found["Ready"].status, "InProgress")


def test_kstatus_waits_for_the_new_revision_although_the_old_one_serves() -> None:
    rolling = {"observedGeneration": 1, "replicas": 4, "updatedReplicas": 1, "availableReplicas": 3}
    old = ready_pods(3, "old")
    assert verdicts(old, settled_children(AGENT, 3, rolling))["Ready"].status == "True"
    assert kstatus(old, settled_children(AGENT, 3, rolling)) == "InProgress"
    assert kstatus(ready_pods(3), settled_children(AGENT, 3)) == "Current"


def test_kstatus_calls_a_change_failed_that_cannot_end_by_itself() -> None:
    old = ready_pods(3, "old")
    assert kstatus((*old, pod("support-9", REVISION, fault=PROVIDER)), settled_children(AGENT, 3)) == "Failed"


def test_pods_are_not_up_to_date_while_newer_ones_are_refused() -> None:
    refused = Problem(reasons.POD_REFUSED, "the API server refuses pods of this spec, the old ones stay: quota")
    found = verdicts(ready_pods(3), settled_children(AGENT, 3), (refused,))["UpToDate"]
    assert (found.status, found.reason, found.message) == ("False", reasons.POD_REFUSED, refused.message)


def test_pods_are_not_called_up_to_date_before_the_api_server_has_said_whether_it_takes_newer_ones() -> None:
    asking = snapshot(agent(concurrencyLimit=7), settled_children(AGENT, 3), ready_pods(3), pod_verdict=None)
    found = {verdict.type: verdict for verdict in conditions(asking, decide(asking), ())}
    assert found["UpToDate"].status == "Unknown"
