from typing import Any

import httpx2

from prewarm_demo.cluster.api import Api
from prewarm_demo.cluster.pods import PodObserver


class Clock:
    now_seconds = 100.0

    def __call__(self) -> float:
        return self.now_seconds


def manifest(uid: str, *, ready: bool = False, terminating: bool = False, container: str = "") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": f"support-{uid}", "uid": uid}
    if terminating:
        metadata["deletionTimestamp"] = "2026-11-25T00:00:00Z"
    status: dict[str, Any] = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    if container:
        status["containerStatuses"] = [{"containerID": container}]
    return {"metadata": metadata, "status": status}


def observer(clock: Clock) -> PodObserver:
    return PodObserver(Api(httpx2.AsyncClient()), "demo", "app=x", clock)


def test_created_to_ready_is_from_the_first_event_to_the_first_ready_one() -> None:
    clock = Clock()
    pods = observer(clock)
    pods.see("ADDED", manifest("a"))
    clock.now_seconds = 100.4
    pods.see("MODIFIED", manifest("a"))
    clock.now_seconds = 102.5
    pods.see("MODIFIED", manifest("a", ready=True))
    clock.now_seconds = 110.0
    pods.see("MODIFIED", manifest("a", ready=False))
    pods.see("MODIFIED", manifest("a", ready=True))

    assert [pod.start_seconds for pod in pods.pods] == [2.5]


def test_a_watch_that_begins_again_repeats_and_changes_nothing() -> None:
    clock = Clock()
    pods = observer(clock)
    pods.see("ADDED", manifest("a"))
    clock.now_seconds = 102.0
    pods.see("MODIFIED", manifest("a", ready=True))
    clock.now_seconds = 150.0
    pods.see("ADDED", manifest("a", ready=True))

    assert [pod.start_seconds for pod in pods.pods] == [2.0]


def test_a_terminating_pod_serves_no_more_but_has_not_ended() -> None:
    pods = observer(Clock())
    pods.see("ADDED", manifest("a", ready=True))
    pods.see("ADDED", manifest("b", ready=True))
    pods.see("MODIFIED", manifest("a", ready=True, terminating=True))

    assert [pod.uid for pod in pods.serving] == ["b"]
    assert [pod.uid for pod in pods.pods if not pod.ended] == ["a", "b"]

    pods.see("DELETED", manifest("a", ready=True, terminating=True))
    assert [pod.uid for pod in pods.pods if not pod.ended] == ["b"]


def test_a_pod_ends_when_its_deletion_arrives() -> None:
    clock = Clock()
    pods = observer(clock)
    pods.see("ADDED", manifest("a"))
    assert pods.pods[0].ended_seconds is None

    clock.now_seconds = 130.0
    pods.see("DELETED", manifest("a"))

    assert pods.pods[0].ended_seconds == 130.0


def test_a_pod_that_never_became_ready_has_no_start_time() -> None:
    pods = observer(Clock())
    pods.see("ADDED", manifest("a"))
    pods.see("DELETED", manifest("a"))

    assert pods.pods[0].start_seconds is None


def test_bookmarks_and_errors_are_not_pods() -> None:
    pods = observer(Clock())
    pods.see("BOOKMARK", {"metadata": {}})
    pods.see("ERROR", {"kind": "Status"})

    assert pods.pods == []


def test_the_container_is_known_without_its_runtime() -> None:
    pods = observer(Clock())
    pods.see("ADDED", manifest("a", container="containerd://0123abc"))

    assert pods.pods[0].container_id == "0123abc"
