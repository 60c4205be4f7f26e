"""A pod as the decision sees it: how far it is, and what keeps it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prewarm_operator.api import names

PERMANENT_ERROR_EXIT_CODE = 78
"""EX_CONFIG of sysexits.h: the runtime says with it that starting again will not help."""

_REASON = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
"""Any image can end with that code and any text, but a condition with another kind of reason would be refused."""

IMAGE_PULL_FAILED = "ImagePullFailed"
START_FAILED = "StartFailed"
WAITING_FOR_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "InvalidImageName"})
WAITING_FOR_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"})


@dataclass(frozen=True)
class Fault:
    """Why a pod does not get warm: a reason in CamelCase and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class PodView:
    """What a decision may know of a pod.

    Attributes:
        uid: tells it from a later pod of its name.
        revision: value of the revision label, "" where there is none.
        ready: its Ready condition, while it is behind the Service and not being deleted.
        terminating: it is being deleted.
        fault: what a person must repair before it can start, else None.
        crash: how its container last died by itself, else None; it is started again without us.
        unschedulable: why no node takes it, in the scheduler's words, else None.
        deletion_cost: what the ReplicaSet goes by when it has to choose whom to delete.
        lost_labels: of the labels that decide whose pod it is, those that it was made with and has no more.
    """

    name: str
    uid: str
    revision: str
    ready: bool
    terminating: bool
    fault: Fault | None
    crash: Fault | None
    unschedulable: str | None
    lost_labels: Mapping[str, str]
    deletion_cost: int = 0


def is_ready(pod: Mapping[str, Any]) -> bool:
    """The Ready condition."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def was_just_made(pod: Mapping[str, Any]) -> bool:
    """Whether nobody has said anything of the pod yet, the scheduler least of all.

    A pod that got its labels back is ADDED to the watch once more, and a list may know a new pod before the watch.
    """
    return not pod.get("status", {}).get("conditions")


def left_the_watch(pod: Mapping[str, Any]) -> bool:
    """Whether a DELETED event only means that the pod lost the label by which pods are watched.

    Then it was not told to stop. A pod without a node ends without being told; one that was deleted by force does so
    too, which the next write to it finds out.
    """
    return "deletionTimestamp" not in pod["metadata"] and "nodeName" in pod.get("spec", {})


def unlabelled(pod: Mapping[str, Any]) -> dict[str, Any]:
    """A pod that left the watch. The event shows it as it was before; which labels it has lost is not known."""
    return {**pod, "metadata": {**pod["metadata"], "labels": {}}}


def view(pod: Mapping[str, Any], maker: Mapping[str, Any] | None) -> PodView:
    """Boil a pod down to a PodView. `maker` is the ReplicaSet that made it, None if that is not known."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    terminating = "deletionTimestamp" in metadata
    lost = {key: value for key, value in _made_with(maker).items() if labels.get(key) != value}
    ready = is_ready(pod) and not terminating and names.LABEL_AGENT not in lost
    faults = [] if ready else [_fault(status) for status in _container_statuses(pod)]
    crashes = [] if ready else [_crash(status) for status in _container_statuses(pod)]
    return PodView(
        name=metadata["name"],
        uid=metadata["uid"],
        revision=labels.get(names.LABEL_REVISION, ""),
        ready=ready,
        terminating=terminating,
        fault=next((fault for fault in faults if fault is not None), None),
        crash=next((crash for crash in crashes if crash is not None), None),
        unschedulable=_unschedulable(pod),
        lost_labels=lost,
        deletion_cost=_deletion_cost(metadata.get("annotations") or {}),
    )


def _deletion_cost(annotations: Mapping[str, str]) -> int:
    """As the ReplicaSet's controller reads it: what is no number counts as none."""
    try:
        return int(annotations.get(names.ANNOTATION_DELETION_COST, "0"))
    except ValueError:
        return 0


def _made_with(maker: Mapping[str, Any] | None) -> Mapping[str, str]:
    """The labels by which ReplicaSet, Service and we know a pod. All others are the user's to change."""
    if maker is None:
        return {}
    template: Mapping[str, str] = maker["spec"]["template"]["metadata"]["labels"]
    decisive = {names.LABEL_REVISION, *(maker["spec"]["selector"].get("matchLabels") or ())}
    return {key: value for key, value in template.items() if key in decisive}


def _unschedulable(pod: Mapping[str, Any]) -> str | None:
    for entry in pod.get("status", {}).get("conditions") or ():
        if entry["type"] == "PodScheduled" and entry["status"] == "False":
            return str(entry.get("message") or entry.get("reason") or "no node was found")
    return None


def _container_statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _fault(status: Mapping[str, Any]) -> Fault | None:
    waiting = status.get("state", {}).get("waiting", {})
    reason = waiting.get("reason", "")
    if reason in WAITING_FOR_CONFIG:
        return Fault(reason, waiting.get("message") or reason)
    if reason in WAITING_FOR_IMAGE:
        return Fault(IMAGE_PULL_FAILED, _image_problem(status.get("image", ""), waiting.get("message") or ""))
    ended = _last_end(status)
    if ended is not None and ended.get("exitCode") == PERMANENT_ERROR_EXIT_CODE:
        return _reported(ended.get("message", ""))
    return None


def _image_problem(image: str, message: str) -> str:
    """The same words for as long as the image is not there.

    The kubelet says the cause, and in turn `Back-off pulling image "x": ErrImagePull: ` and the cause: a status that
    followed it would be written every few seconds.
    """
    cause = message.partition("ErrImagePull: ")[2] or message
    return f"image {image} cannot be pulled" + (f": {cause}" if cause else "")


def _crash(status: Mapping[str, Any]) -> Fault | None:
    ended = _last_end(status)
    if ended is None or ended.get("exitCode") in (0, PERMANENT_ERROR_EXIT_CODE):
        return None
    detail = (ended.get("message") or "").strip().splitlines()
    text = f"container {status['name']} ended with exit code {ended.get('exitCode')}"
    return Fault(ended.get("reason") or "Error", f"{text}: {detail[-1][:300]}" if detail else text)


def _last_end(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the container ended, if it is not running again since: a running one may have been repaired."""
    if "running" in status.get("state", {}) and status.get("ready"):
        return None
    for state in ("state", "lastState"):
        ended: Mapping[str, Any] | None = status.get(state, {}).get("terminated")
        if ended is not None:
            return ended
    return None


def _reported(message: str) -> Fault:
    """The line of JSON that the runtime leaves in the termination log (docs/design/0001, section 2)."""
    try:
        report = json.loads(message)
        if _REASON.fullmatch(report["reason"]):
            return Fault(report["reason"], str(report["message"]))
    except (ValueError, KeyError, TypeError):
        pass
    return Fault(START_FAILED, message.strip()[:500] or "the agent ended with a permanent error and no message")
