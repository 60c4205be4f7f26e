"""An autoscaler on the child Deployment: the number of pods is handed over, told, and taken back.

Two who set one number flip it for ever. So the autoscaler wins, except over the minimum, and that not often.
"""

from collections.abc import Iterator
from datetime import datetime

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.ownership import controlled_by
from prewarm_operator.decide.plan import Scale
from prewarm_operator.world.snapshot import Object, Snapshot

RAISE_AGAIN_SECONDS = 240.0
"""An autoscaler whose own minimum is lower undoes every raise within seconds: it is repeated once per resync."""

RAISE_FROM_ZERO_SECONDS = 5.0
"""Without any pod nobody is served. A HorizontalPodAutoscaler leaves such a Deployment alone: it was a hand, or KEDA,
which looks every 30 s unless told otherwise."""

HOLD_SECONDS = 300.0
"""After an autoscaler is gone its number stays this long, as the one of a HorizontalPodAutoscaler does while it scales
down: it may only be on its way to be made again, and the load it scaled for is still there."""


def hand_over(snapshot: Snapshot, own: Scale) -> Scale:
    """`own`, unless an autoscaler sets the number of the child's replicas, or has just ceased to."""
    deployment = snapshot.children.deployment
    if deployment is None or not controlled_by(snapshot.agent.uid, deployment):
        return own
    if snapshot.autoscalers.names:
        return _autoscaled(snapshot, deployment)
    return _held(snapshot, deployment, own)


def _autoscaled(snapshot: Snapshot, deployment: Object) -> Scale:
    who = " and ".join(snapshot.autoscalers.names)
    message = f"{who} scales the child Deployment: let it scale AgentDeployment {snapshot.agent.name} instead"
    count, minimum = deployment["spec"]["replicas"], snapshot.agent.spec.min_replicas
    wait_seconds = None
    if count < minimum:
        message += f"; it asks for {count} pods, spec.minReplicas is {minimum}: raise its own minimum"
        pause_seconds = RAISE_AGAIN_SECONDS if count else RAISE_FROM_ZERO_SECONDS
        # The API server's clock may be ahead of ours.
        wait_seconds = min(pause_seconds, _last_applied_at(deployment) + pause_seconds - snapshot.taken_at)
        if wait_seconds <= 0:
            return Scale(minimum, reasons.AUTOSCALER_ON_CHILD, message)
    # Left out before somebody else owns it, the number would fall back to 1.
    ours = not _owned_by_others(deployment)
    return Scale(count, reasons.AUTOSCALER_ON_CHILD, message, ours, wait_seconds)


def _held(snapshot: Snapshot, deployment: Object, own: Scale) -> Scale:
    gone_for_seconds = snapshot.autoscalers.gone_for_seconds
    count = deployment["spec"]["replicas"]
    left_seconds = 0.0 if gone_for_seconds is None else HOLD_SECONDS - gone_for_seconds
    if left_seconds <= 0 or count < snapshot.agent.spec.min_replicas or not _owned_by_others(deployment):
        return own
    message = f"the child's autoscaler is gone; its {count} pods stay for {HOLD_SECONDS:.0f} s, then {own.message}"
    return Scale(count, reasons.HELD_AFTER_AUTOSCALER, message, False, left_seconds)


def _owned_by_others(deployment: Object) -> bool:
    owners = (entry for entry in deployment["metadata"].get("managedFields") or () if "fieldsV1" in entry)
    return any(entry["manager"] != names.FIELD_MANAGER for entry in owners)


def _last_applied_at(deployment: Object) -> float:
    return max(_applied_at(deployment), default=0.0)


def _applied_at(deployment: Object) -> Iterator[float]:
    for entry in deployment["metadata"].get("managedFields") or ():
        if entry["manager"] == names.FIELD_MANAGER and "time" in entry:
            yield datetime.fromisoformat(entry["time"]).timestamp()
