"""An autoscaler that scales the child Deployment instead of the AgentDeployment."""

from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import NOW, agent, settled_children, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.autoscaler import HOLD_SECONDS, RAISE_AGAIN_SECONDS, RAISE_FROM_ZERO_SECONDS
from prewarm_operator.decide.conditions import conditions
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Apply
from prewarm_operator.world.autoscalers import AutoscalerLog, Autoscalers, name_of
from prewarm_operator.world.cache import Key
from prewarm_operator.world.snapshot import LiveChildren, Snapshot

AGENT = agent(replicas=3, minReplicas=2, maxReplicas=5)
THERE = Autoscalers(("HorizontalPodAutoscaler web",))


def managed(by: str, *, replicas: bool, time: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    fields = {"fieldsV1": {"f:spec": {"f:replicas": {}}}} if replicas else {}
    return {"manager": by, "operation": "Apply" if by == "prewarm" else "Update", "time": time} | fields


def scaled(replicas: int, *, by: str | None) -> LiveChildren:
    """The child at `replicas`, set by another manager or, with None, by ourselves."""
    children = settled_children(AGENT, 3)
    assert children.deployment is not None
    owners = [managed("prewarm", replicas=by is None)] + ([] if by is None else [managed(by, replicas=True)])
    spec = {**children.deployment["spec"], "replicas": replicas}
    metadata = {**children.deployment["metadata"], "managedFields": owners}
    return replace(children, deployment={**children.deployment, "metadata": metadata, "spec": spec})


def at(children: LiveChildren, autoscalers: Autoscalers = THERE, seconds_later: float = 10.0) -> Snapshot:
    return snapshot(AGENT, children, autoscalers=autoscalers, taken_at=NOW + seconds_later)


def applied(at: Snapshot) -> dict[str, Any]:
    (write,) = decide(at).writes
    assert isinstance(write, Apply)
    return dict(write.body)


def test_the_number_stays_ours_and_as_it_is_until_the_autoscaler_owns_it() -> None:
    plan = decide(at(scaled(3, by=None)))
    assert plan.writes == ()
    assert (plan.scale.replicas, plan.scale.ours) == (3, True)


def test_a_number_that_the_autoscaler_owns_is_left_out_of_what_is_applied() -> None:
    body = applied(at(scaled(7, by="kube-controller-manager")))
    assert "replicas" not in body["spec"]
    assert body["metadata"]["resourceVersion"] == "20"


def test_a_changed_spec_does_not_touch_the_number_of_the_autoscaler() -> None:
    changed = agent(replicas=4, minReplicas=2, maxReplicas=5, concurrencyLimit=7)
    found = snapshot(changed, scaled(7, by="kube-controller-manager"), autoscalers=THERE, taken_at=NOW)
    bodies = [write.body for write in decide(found).writes if isinstance(write, Apply)]
    assert ["replicas" in body["spec"] for body in bodies] == [False]


def test_the_minimum_is_kept_and_the_number_handed_back() -> None:
    later = RAISE_AGAIN_SECONDS + 1
    assert applied(at(scaled(1, by="keda-operator"), seconds_later=later))["spec"]["replicas"] == 2
    assert decide(at(scaled(2, by=None), seconds_later=later)).scale.ours


def test_an_autoscaler_that_insists_on_less_than_the_minimum_is_not_fought_at_every_step() -> None:
    plan = decide(at(scaled(1, by="keda-operator"), seconds_later=10))
    assert (plan.scale.replicas, plan.scale.ours) == (1, False)
    assert plan.scale.again_after_seconds == RAISE_AGAIN_SECONDS - 10
    assert "spec.minReplicas is 2: raise its own minimum" in plan.scale.message


def test_a_child_that_an_autoscaler_or_a_hand_has_scaled_to_zero_is_raised_within_seconds() -> None:
    waits = decide(at(scaled(0, by="keda-operator"), seconds_later=1)).scale.again_after_seconds
    assert waits == RAISE_FROM_ZERO_SECONDS - 1
    assert applied(at(scaled(0, by="keda-operator"), seconds_later=RAISE_FROM_ZERO_SECONDS))["spec"]["replicas"] == 2


def test_an_api_server_whose_clock_is_ahead_puts_no_raise_off() -> None:
    plan = decide(at(scaled(1, by="keda-operator"), seconds_later=-3600))
    assert plan.scale.again_after_seconds == RAISE_AGAIN_SECONDS


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_number_that_was_read_is_only_written_if_it_still_is_the_number(replicas: int) -> None:
    changed = agent(replicas=4, minReplicas=2, maxReplicas=5, concurrencyLimit=7)
    later = NOW + RAISE_AGAIN_SECONDS + 1
    found = snapshot(changed, scaled(replicas, by=None), autoscalers=THERE, taken_at=later)
    (body,) = [write.body for write in decide(found).writes if isinstance(write, Apply)]
    assert body["spec"]["replicas"] == max(2, replicas)
    assert body["metadata"]["resourceVersion"] == "20"


def test_a_hand_that_scales_the_child_is_still_corrected_where_there_is_no_autoscaler() -> None:
    assert applied(at(scaled(7, by="kubectl"), Autoscalers()))["spec"]["replicas"] == 3


def test_the_number_is_held_after_the_autoscaler_is_gone_and_then_taken_back() -> None:
    children = scaled(7, by="kube-controller-manager")
    held = decide(at(children, Autoscalers(gone_for_seconds=HOLD_SECONDS - 1)))
    assert (held.scale.replicas, held.scale.ours, held.scale.reason) == (7, False, reasons.HELD_AFTER_AUTOSCALER)
    assert held.scale.again_after_seconds == pytest.approx(1)
    body = applied(at(children, Autoscalers(gone_for_seconds=HOLD_SECONDS)))
    assert body["spec"]["replicas"] == 3
    assert "resourceVersion" not in body["metadata"]


def test_a_number_that_the_autoscaler_never_wrote_is_not_held() -> None:
    children, gone = scaled(3, by=None), Autoscalers(gone_for_seconds=1.0)
    more = snapshot(agent(replicas=5, minReplicas=2), children, autoscalers=gone, taken_at=NOW + 1)
    assert decide(more).scale.replicas == 5


def test_nothing_is_held_below_the_minimum() -> None:
    gone = Autoscalers(gone_for_seconds=0.0)
    assert applied(at(scaled(1, by="keda-operator"), gone))["spec"]["replicas"] == 3


def test_the_condition_names_the_autoscaler_and_the_remedy() -> None:
    found = at(scaled(7, by="kube-controller-manager"))
    (verdict,) = [verdict for verdict in conditions(found, decide(found), ()) if verdict.type == "ScalingActive"]
    assert (verdict.status, verdict.reason) == ("False", reasons.AUTOSCALER_ON_CHILD)
    assert verdict.message.startswith("HorizontalPodAutoscaler web scales the child Deployment")
    assert "AgentDeployment support" in verdict.message


@pytest.mark.parametrize(
    ("mode", "reason"), [("Auto", reasons.AUTOSCALER_NOT_READ), ("Observe", None), ("External", None)]
)
def test_an_autoscaler_of_the_agent_is_told_of_where_its_number_is_not_read(mode: str, reason: str | None) -> None:
    found = snapshot(agent(mode=mode), autoscalers=Autoscalers(of_the_agent=("ScaledObject web",)))
    (verdict,) = [verdict for verdict in conditions(found, decide(found), ()) if verdict.type == "ScalingActive"]
    assert (verdict.reason == reasons.AUTOSCALER_NOT_READ) == (reason is not None)


def test_a_scaled_object_is_called_by_its_own_name() -> None:
    owner = {"kind": "ScaledObject", "name": "web", "uid": "x"}
    made = {"metadata": {"name": "keda-hpa-web", "ownerReferences": [owner]}}
    assert name_of(made) == "ScaledObject web"
    assert name_of({"metadata": {"name": "web"}}) == "HorizontalPodAutoscaler web"


def test_the_log_remembers_when_the_last_one_went_and_forgets_that_when_one_comes() -> None:
    log, key = AutoscalerLog(), Key("team", "support")
    assert log.seen(key, (), 1.0) == Autoscalers()
    assert log.seen(key, ("HorizontalPodAutoscaler web",), 2.0).gone_for_seconds is None
    assert log.seen(key, (), 3.0).gone_for_seconds == 0.0
    assert log.seen(key, (), 4.0).gone_for_seconds == 1.0
    assert log.seen(key, ("HorizontalPodAutoscaler web",), 5.0).gone_for_seconds is None
