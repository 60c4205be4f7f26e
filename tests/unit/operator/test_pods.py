import json
from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import snapshot

from prewarm_operator.decide.pods import decide_pods
from prewarm_operator.world import pods
from prewarm_operator.world.pods import Fault, PodView


def pod(*, container: dict[str, Any] | None = None, ready: bool = False, deleted: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "p", "uid": "u", "labels": {"prewarm.dev/revision": "abc"}}
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status: dict[str, Any] = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    if container is not None:
        status["containerStatuses"] = [{"name": "agent", "image": "i", **container}]
    return {"metadata": metadata, "status": status}


def view(body: dict[str, Any]) -> PodView:
    return pods.view(body, maker=None)


def ended(code: int, message: str = "", state: str = "lastState", reason: str = "Error") -> dict[str, Any]:
    return {state: {"terminated": {"exitCode": code, "message": message, "reason": reason}}}


REPORT = json.dumps({"reason": "UnknownKey", "message": "agent.component.config.temperatur is no key", "path": "x"})


def test_a_fresh_pod_has_no_fault() -> None:
    seen = view(pod())
    assert (seen.revision, seen.ready, seen.fault, seen.crash) == ("abc", False, None, None)


def test_a_pod_that_is_being_deleted_is_not_ready_whatever_its_condition_says() -> None:
    seen = view(pod(ready=True, deleted=True))
    assert (seen.ready, seen.terminating) == (False, True)


def test_exit_code_78_reports_the_line_from_the_termination_log() -> None:
    expected = Fault("UnknownKey", "agent.component.config.temperatur is no key")
    assert view(pod(container=ended(78, REPORT))).fault == expected
    assert view(pod(container=ended(78, REPORT, state="state"))).fault == expected


def test_exit_code_78_without_a_readable_line_still_is_a_fault() -> None:
    assert view(pod(container=ended(78, "not json"))).fault == Fault("StartFailed", "not json")
    fault = view(pod(container=ended(78))).fault
    assert fault is not None
    assert fault.message


@pytest.mark.parametrize("reason", ["", "no reason at all", "A" * 2000, 7, None])
def test_an_image_of_somebody_elses_cannot_choose_a_reason_that_no_condition_may_have(reason: Any) -> None:
    fault = view(pod(container=ended(78, json.dumps({"reason": reason, "message": "x"})))).fault
    assert fault is not None
    assert fault.reason == "StartFailed"


def test_a_repaired_container_has_no_fault_any_more() -> None:
    repaired = {**ended(78, REPORT), "state": {"running": {}}, "ready": True}
    assert view(pod(container=repaired)).fault is None


def test_a_missing_secret_is_told_in_the_kubelets_words() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "model-api" not found'}
    seen = view(pod(container={"state": {"waiting": waiting}}))
    assert seen.fault == Fault("CreateContainerConfigError", 'secret "model-api" not found')


def test_an_image_that_cannot_be_pulled_is_a_fault() -> None:
    seen = view(pod(container={"state": {"waiting": {"reason": "ErrImageNeverPull"}}}))
    assert seen.fault is not None
    assert seen.fault.reason == "ImagePullFailed"


def test_the_words_about_an_image_stay_while_the_kubelet_tries_and_waits_in_turn() -> None:
    cause = "rpc error: code = NotFound desc = example.com/a:9: not found"
    trying = {"reason": "ErrImagePull", "message": cause}
    waiting = {
        "reason": "ImagePullBackOff",
        "message": f'Back-off pulling image "example.com/a:9": ErrImagePull: {cause}',
    }
    told = {view(pod(container={"image": "a:9", "state": {"waiting": state}})).fault for state in (trying, waiting)}
    assert told == {Fault("ImagePullFailed", f"image a:9 cannot be pulled: {cause}")}


def test_back_off_between_two_crashes_shows_the_crash() -> None:
    crashing = {**ended(137, reason="OOMKilled"), "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    seen = view(pod(container=crashing))
    assert seen.fault is None
    assert seen.crash is not None
    assert seen.crash.reason == "OOMKilled"
    assert "137" in seen.crash.message


def test_a_pod_that_no_node_takes_tells_why() -> None:
    body = pod()
    message = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    body["status"]["conditions"] += [{"type": "PodScheduled", "status": "False", "message": message}]
    assert view(body).unschedulable == message
    assert view(pod()).unschedulable is None


def test_a_clean_end_is_no_crash() -> None:
    assert view(pod(container=ended(0))).crash is None


LABELS = {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own", "pod-template-hash": "5d9f", "team": "a"}
MADE_WITH = LABELS | {"prewarm.dev/revision": "abc"}
MAKER = {
    "spec": {
        "selector": {"matchLabels": {key: LABELS[key] for key in LABELS if key != "team"}},
        "template": {"metadata": {"labels": MADE_WITH}},
    }
}


def labelled(**changes: str | None) -> PodView:
    names = {"agent": "prewarm.dev/agent", "origin": "prewarm.dev/origin", "revision": "prewarm.dev/revision"}
    names |= {"hash": "pod-template-hash", "team": "team"}
    labels = MADE_WITH | {names[key]: value for key, value in changes.items()}
    body = pod(ready=True)
    body["metadata"]["labels"] = {key: value for key, value in labels.items() if value is not None}
    return pods.view(body, MAKER)


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({}, {}),
        ({"team": "b"}, {}),
        ({"agent": "other"}, {"prewarm.dev/agent": "support"}),
        ({"agent": None, "origin": None}, {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}),
        ({"revision": "x"}, {"prewarm.dev/revision": "abc"}),
        ({"hash": None}, {"pod-template-hash": "5d9f"}),
    ],
)
def test_labels_that_decide_whose_a_pod_is_are_missed(changes: dict[str, str | None], lost: dict[str, str]) -> None:
    assert labelled(**changes).lost_labels == lost


def test_a_pod_that_a_hand_took_from_its_service_does_not_count_as_serving() -> None:
    assert not labelled(agent="other").ready
    assert labelled(revision="x").ready


def test_a_pod_gets_its_labels_back_unless_it_is_leaving() -> None:
    taken = labelled(agent="other")
    leaving = replace(taken, name="leaving", terminating=True)
    (write,) = decide_pods(snapshot(pods=(taken, leaving)))
    assert (write.name, write.uid, write.labels) == ("p", "u", {"prewarm.dev/agent": "support"})


@pytest.mark.parametrize(("written", "cost"), [("7", 7), ("-3", -3), ("much", 0), (None, 0)])
def test_a_deletion_cost_is_read_as_the_controller_of_replica_sets_reads_it(written: str | None, cost: int) -> None:
    body = pod()
    if written is not None:
        body["metadata"]["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": written}
    assert view(body).deletion_cost == cost
