"""External, Observe, paused; and how the number is divided between own and claimed pods."""

import pytest
from unit.operator.scaling_inputs import Run, decide, forecast, inputs, policy, settled

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Mode, Pods
from prewarm_operator.world.scaling import History


@pytest.mark.parametrize(
    ("wanted", "replicas", "reason"),
    [(0, 2, reasons.RAISED_TO_MINIMUM), (4, 4, reasons.SPEC_REPLICAS), (11, 10, reasons.LOWERED_TO_MAXIMUM)],
)
def test_in_mode_external_spec_replicas_counts_within_the_bounds(wanted: int, replicas: int, reason: str) -> None:
    run = Run(settled(3))
    verdict = run.step(
        inputs(90.0, forecast=forecast(90.0), policy=policy(mode=Mode.EXTERNAL, low=2, spec_replicas=wanted))
    )
    assert (verdict.replicas, verdict.decided_by.reason) == (replicas, reason)
    assert not verdict.may_claim
    assert run.history == History()


def test_mode_external_needs_no_metric() -> None:
    """kedacore/keda 7411: nothing lifts from 0 when metrics are absent."""
    assert decide(inputs(policy=policy(mode=Mode.EXTERNAL, spec_replicas=0), pods=Pods(0))).replicas == 1


def test_mode_observe_touches_nothing_and_says_what_mode_auto_would_do() -> None:
    run = Run(settled(3))
    of = inputs(60.0, policy=policy(mode=Mode.OBSERVE, spec_replicas=4))
    verdict = run.step(of)
    assert (verdict.replicas, verdict.decided_by.reason) == (4, reasons.SPEC_REPLICAS)
    assert (verdict.auto.replicas, verdict.auto.reason) == (9, reasons.LOAD_NOW)
    assert not verdict.may_claim


def test_what_mode_auto_would_do_follows_from_what_it_would_have_done() -> None:
    observe = policy(mode=Mode.OBSERVE, spec_replicas=4)
    auto, shadow = Run(settled(3)), Run(settled(3))
    for load in (60.0, 5.0, 5.0, 5.0, 5.0, 30.0):
        did = auto.step(inputs(load))
        would = shadow.step(inputs(load, policy=observe))
        assert (would.auto, would.terms) == (did.decided_by, did.terms)


def test_paused_the_count_stays_within_the_bounds() -> None:
    verdict = decide(inputs(90.0, policy=policy(paused=True)), settled(5))
    assert (verdict.replicas, verdict.decided_by.reason) == (5, reasons.PAUSED)
    assert not verdict.may_claim
    assert verdict.decided_by.message == "spec.scaling.paused is true: the 5 pods stay"
    lowered = decide(inputs(90.0, policy=policy(paused=True, high=4)), settled(5))
    assert (lowered.replicas, lowered.decided_by.message) == (
        4,
        "spec.scaling.paused is true, but the bounds allow 4 pods, not 5",
    )
    assert decide(inputs(5.0, policy=policy(paused=True, low=7)), settled(5)).replicas == 7


def test_after_a_pause_the_window_begins_anew() -> None:
    run = Run(settled(5))
    run.steps(inputs(5.0, policy=policy(paused=True)), 20)
    assert run.steps(inputs(5.0), 4) == [5, 5, 5, 1]


@pytest.mark.parametrize(
    ("pods", "low", "high", "total", "own", "claimed"),
    [
        (Pods(3, 0), 1, 10, 8, 8, 0),  # what no claim serves, the own Deployment does
        (Pods(3, 4), 1, 10, 9, 5, 4),
        (Pods(3, 4), 1, 10, 5, 3, 2),  # claimed pods go first
        (Pods(3, 4), 1, 10, 2, 2, 0),
        (Pods(2, 9), 2, 6, 6, 2, 4),  # claimed pods never take the place of the minimum
        (Pods(5, 3), 4, 4, 4, 4, 0),
        (Pods(0, 3), 2, 10, 3, 2, 3),  # the minimum is the own Deployment's
    ],
)
def test_own_and_claimed_pods(pods: Pods, low: int, high: int, total: int, own: int, claimed: int) -> None:
    bounds = policy(low=low, high=high, target_concurrency=10.0)
    verdict = decide(inputs(10.0 * total, pods=pods, policy=bounds), settled(total))
    assert (verdict.replicas, verdict.own, verdict.claimed) == (total, own, claimed)
