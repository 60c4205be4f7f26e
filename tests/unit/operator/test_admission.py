"""What is done about a new pod template before and after the API server was asked for a pod of it."""

from dataclasses import replace
from typing import Any

from unit.operator.builders import agent, live, pod, rendered, settled_children, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import AskForPod, Plan
from prewarm_operator.world.snapshot import Snapshot
from prewarm_operator.world.verdicts import HOLD_SECONDS, PodVerdict, VerdictLog

OLD = agent()
NEW = agent(image="example.com/agent:2", replicas=4)
NEW_REVISION = rendered(NEW, 4).pods.revision
REFUSED = PodVerdict(NEW_REVISION, 'violates PodSecurity "restricted:latest"')
ADMITTED = PodVerdict(NEW_REVISION, None)


def changed(verdict: PodVerdict | None) -> Snapshot:
    """An agent at rest whose spec has changed: another image, and 4 pods for 3."""
    return snapshot(NEW, settled_children(OLD, 3), pod_verdict=verdict)


def writes(plan: Plan) -> list[tuple[str, str]]:
    return [(type(write).__name__, write.resource.kind) for write in plan.writes]


def deployment_of(plan: Plan) -> dict[str, Any]:
    (body,) = [write.body for write in plan.writes if write.resource.kind == "Deployment" and hasattr(write, "body")]
    return dict(body)


def test_a_pod_of_a_new_revision_is_asked_for_and_only_the_number_of_pods_changes_meanwhile() -> None:
    plan = decide(changed(None))
    (ask,) = [write for write in plan.writes if isinstance(write, AskForPod)]
    assert ask.revision == NEW_REVISION
    assert ask.body["spec"]["containers"][0]["image"] == "example.com/agent:2"
    assert deployment_of(plan)["spec"]["template"] == rendered(OLD, 3).deployment["spec"]["template"]
    assert deployment_of(plan)["spec"]["replicas"] == 4


def test_the_pod_that_is_asked_for_is_owned_as_the_real_one_will_be() -> None:
    (ask,) = [write for write in decide(changed(None)).writes if isinstance(write, AskForPod)]
    (owner,) = ask.body["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("ReplicaSet", True)


def test_a_child_that_was_deleted_comes_back_unasked_while_pods_of_its_revision_are_there() -> None:
    leaving = (pod("support-1", NEW_REVISION, terminating=True),)
    plan = decide(snapshot(NEW, replace(settled_children(NEW, 4), deployment=None), leaving, pod_verdict=REFUSED))
    assert ("Create", "Deployment") in writes(plan)
    assert plan.problems == ()


def test_a_child_without_a_stored_template_is_still_scaled_while_a_new_revision_is_refused() -> None:
    settled = settled_children(OLD, 3)
    assert settled.deployment is not None
    annotations = {"prewarm.dev/applied-hash": "x"}
    bare = {**settled.deployment, "metadata": {**settled.deployment["metadata"], "annotations": annotations}}
    bare["spec"] = {**bare["spec"], "replicas": 0}
    plan = decide(snapshot(NEW, replace(settled, deployment=bare), pod_verdict=REFUSED))
    assert deployment_of(plan)["spec"]["replicas"] == 4
    assert deployment_of(plan)["spec"]["template"] == bare["spec"]["template"]


def test_what_is_admitted_is_rolled_out_without_being_asked_again() -> None:
    plan = decide(changed(ADMITTED))
    assert "AskForPod" not in [kind for kind, _ in writes(plan)]
    assert deployment_of(plan)["spec"]["template"] == rendered(NEW, 4).deployment["spec"]["template"]
    assert plan.problems == ()


def test_what_is_refused_leaves_the_old_revision_as_it_is_and_scales_it() -> None:
    plan = decide(changed(REFUSED))
    assert writes(plan) == [("Apply", "Deployment")]
    assert deployment_of(plan)["spec"]["template"] == rendered(OLD, 3).deployment["spec"]["template"]
    assert deployment_of(plan)["spec"]["replicas"] == 4
    (problem,) = plan.problems
    assert problem.reason == reasons.POD_REFUSED
    assert 'violates PodSecurity "restricted:latest"' in problem.message
    assert plan.revision == rendered(OLD, 3).pods.revision


def test_the_config_map_of_the_old_revision_outlives_a_refusal() -> None:
    asked = snapshot(agent(concurrencyLimit=7), settled_children(OLD, 3), pod_verdict=None)
    assert "Delete" not in [kind for kind, _ in writes(decide(asked))]


def test_a_verdict_on_another_revision_does_not_count() -> None:
    plan = decide(changed(PodVerdict("0123456789", None)))
    assert ("AskForPod", "Pod") in writes(plan)


def test_without_an_old_revision_nothing_runs_until_a_pod_is_admitted() -> None:
    plan = decide(snapshot(NEW, pod_verdict=None))
    assert writes(plan)[0] == ("AskForPod", "Pod")
    assert ("Create", "Service") in writes(plan)
    assert ("Create", "Deployment") not in writes(plan)
    refused = decide(snapshot(NEW, pod_verdict=REFUSED))
    assert ("Create", "Deployment") not in writes(refused)
    assert "no pod is made" in refused.problems[0].message


def test_nothing_is_asked_about_the_revision_that_runs() -> None:
    assert decide(snapshot(OLD, settled_children(OLD, 3), pod_verdict=None)).writes == ()


def test_scaling_asks_nothing() -> None:
    more = agent(replicas=5)
    assert writes(decide(snapshot(more, settled_children(OLD, 3), pod_verdict=None))) == [("Apply", "Deployment")]


def test_nothing_is_asked_for_a_deployment_that_is_somebody_elses() -> None:
    theirs = settled_children(OLD, 3)
    foreign = live({**rendered(OLD, 3).deployment, "metadata": {"name": "support", "namespace": "team"}})
    taken = snapshot(NEW, type(theirs)(foreign, None, None, (), (), 0.0), pod_verdict=None)
    assert "AskForPod" not in [kind for kind, _ in writes(decide(taken))]


def test_a_verdict_is_forgotten_before_the_retry_that_is_to_ask_again() -> None:
    now = 100.0
    log = VerdictLog(lambda: now)
    log.record(("team", "support"), REFUSED)
    assert log.of(("team", "other")) is None
    now += HOLD_SECONDS - 1
    assert log.of(("team", "support")) == REFUSED
    now += 1
    assert log.of(("team", "support")) is None
