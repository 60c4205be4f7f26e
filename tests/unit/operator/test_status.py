from datetime import UTC, datetime
from typing import Any

from unit.operator.builders import agent_body, pod, rendered, settled_children, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Event, Problem, Report
from prewarm_operator.decide.status import report, report_unreadable
from prewarm_operator.render.agent import parse
from prewarm_operator.world.pods import Fault, PodView
from prewarm_operator.world.start_times import StartTimes

EARLY = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LATE = datetime(2026, 1, 1, 13, 0, tzinfo=UTC)
START = StartTimes(p50_seconds=1.2345, p90_seconds=2.5, samples=4)


def settled_report(now: datetime, status: dict[str, Any] | None = None, **fields: Any) -> Report:
    of = parse(agent_body(status=status, **fields.pop("spec", {})))
    revision = rendered(of).revision
    pods = fields.pop("pods", tuple(pod(f"support-{number}", revision, ready=True) for number in range(3)))
    at = snapshot(of, settled_children(of, 3), pods, **({"start_times": START} | fields))
    return report(at, decide(at), (), now)


def first_status() -> dict[str, Any]:
    status = settled_report(EARLY).status
    assert status is not None
    return dict(status)


def test_the_status_is_complete() -> None:
    status = first_status()
    conditions = {condition["type"]: condition["status"] for condition in status.pop("conditions")}
    assert conditions == {
        "Ready": "True",
        "Warm": "True",
        "Progressing": "False",
        "Reconciling": "False",
        "Stalled": "False",
        "AgentValid": "True",
        "ScalingActive": "True",
        "UpToDate": "True",
    }
    assert len(status.pop("revision")) == 10
    assert status == {
        "observedGeneration": 3,
        "desiredReplicas": 3,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "updatedReplicas": 3,
        "selector": "prewarm.dev/agent=support",
        "startup": {"createdToReadyP50Seconds": 1.23, "createdToReadyP90Seconds": 2.5, "samples": 4},
        "scaling": {"reason": reasons.SPEC_REPLICAS, "message": "spec.replicas is 3"},
    }


def test_an_unchanged_status_is_not_written_again() -> None:
    assert settled_report(LATE, first_status()) == Report(None, ())


def test_measured_start_times_outlive_a_restart_of_the_operator() -> None:
    assert settled_report(LATE, first_status(), start_times=None).status is None


def test_a_transition_time_moves_only_with_its_condition() -> None:
    fault = Fault("ImagePullFailed", "no such image")
    status = settled_report(LATE, first_status(), pods=(pod(revision="x", fault=fault),)).status
    assert status is not None
    times = {condition["type"]: condition["lastTransitionTime"] for condition in status["conditions"]}
    assert times["Ready"] == "2026-01-01T13:00:00Z"
    assert times["Progressing"] == "2026-01-01T12:00:00Z"


def test_ready_speaks_of_the_generation_before_until_its_pods_have_been_replaced() -> None:
    """So that `kubectl wait --for=condition=Ready` after an apply does not end by the pods from before."""

    def ready_generation(updated: int, before: dict[str, Any], pods: tuple[PodView, ...]) -> tuple[str, int]:
        counts = {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "updatedReplicas": updated}
        of = parse(agent_body(status=before, concurrencyLimit=7))
        at = snapshot(of, settled_children(of, 3, {"observedGeneration": 1, **counts}), pods)
        found = report(at, decide(at), (), LATE).status
        assert found is not None
        (ready,) = [condition for condition in found["conditions"] if condition["type"] == "Ready"]
        return ready["status"], ready["observedGeneration"]

    before = first_status()
    for condition in before["conditions"]:
        condition["observedGeneration"] = 2
    old = tuple(pod(f"old-{number}", "old", ready=True) for number in range(3))
    broken = pod("new-1", rendered(parse(agent_body(concurrencyLimit=7))).revision, fault=Fault("UnknownKey", "no key"))
    assert ready_generation(1, before, old) == ("True", 2)
    assert ready_generation(3, before, (*old, broken)) == ("True", 2)
    assert ready_generation(3, before, old) == ("True", 3)
    assert ready_generation(1, before, ()) == ("False", 3)


def test_a_new_object_on_its_way_is_no_news() -> None:
    of = parse(agent_body())
    at = snapshot(of)
    assert report(at, decide(at), (), EARLY).events == ()


def test_a_new_object_that_cannot_start_is_news() -> None:
    of = parse(agent_body())
    revision = rendered(of).revision
    at = snapshot(of, pods=(pod(revision=revision, fault=Fault("UnknownKey", "agent.component.x is no key")),))
    warnings = [event.reason for event in report(at, decide(at), (), EARLY).events if event.warning]
    assert "UnknownKey" in warnings


def test_falling_below_the_minimum_is_a_warning_and_coming_back_is_not() -> None:
    (lost, *_) = settled_report(LATE, first_status(), pods=()).events
    assert (lost.warning, lost.reason) == (True, reasons.BELOW_MINIMUM)
    below = settled_report(LATE, first_status(), pods=()).status
    assert below is not None
    back = settled_report(LATE, dict(below)).events
    assert Event(False, reasons.MINIMUM_SERVES, "Ready: at least 2 warm pods serve") in back


def test_scaling_is_an_event_with_both_numbers_and_the_reason() -> None:
    events = settled_report(LATE, first_status(), spec={"replicas": 5}).events
    assert Event(False, "Scaled", "from 3 to 5 pods: spec.replicas is 5") in events


def test_an_object_that_cannot_be_read_is_told_so_once() -> None:
    body = agent_body()
    first = report_unreadable(body, "spec.mode: unknown", EARLY)
    assert first.status is not None
    (condition,) = first.status["conditions"]
    assert (condition["type"], condition["reason"]) == ("AgentValid", reasons.SPEC_NOT_UNDERSTOOD)
    assert "spec.mode" in condition["message"]
    assert report_unreadable({**body, "status": first.status}, "spec.mode: unknown", LATE) == Report(None, ())


def test_several_problems_are_told_together_in_an_order_of_their_own() -> None:
    refused = Problem(reasons.CHILD_REFUSED, "Deployment team/support was refused: quota")
    taken = Problem(reasons.NAME_CONFLICT, "Service support exists and has no owner")
    at = snapshot(parse(agent_body()))
    messages = set()
    for met in ((refused, taken), (taken, refused), (taken, refused, taken)):
        status = report(at, decide(at), met, EARLY).status
        assert status is not None
        (ready,) = [condition for condition in status["conditions"] if condition["type"] == "Ready"]
        messages.add((ready["reason"], ready["message"]))
    assert messages == {(reasons.CHILD_REFUSED, f"{refused.message}; {taken.message}")}


def test_a_refusal_that_two_conditions_tell_is_one_event() -> None:
    of = parse(agent_body(status=first_status()))
    at = snapshot(of, settled_children(of, 3))
    found = report(at, decide(at), (Problem(reasons.POD_REFUSED, "quota"),), LATE)
    assert [event.message for event in found.events if event.reason == reasons.POD_REFUSED] == ["Ready: quota"]


def test_a_refusal_without_end_is_cut_to_what_a_condition_can_hold() -> None:
    at = snapshot(parse(agent_body()))
    status = report(at, decide(at), (Problem(reasons.POD_REFUSED, "x" * 40_000),), EARLY).status
    assert status is not None
    assert max(len(condition["message"]) for condition in status["conditions"]) == 32768
