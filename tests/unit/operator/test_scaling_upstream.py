"""A sick model API is not load: what waits for it is not answered by more pods."""

import math

from unit.operator.scaling_inputs import NOW, Run, forecast, inputs, policy, settled

from prewarm_operator.decide import reasons
from prewarm_operator.decide.schedule import Present
from prewarm_operator.signals.reading import FRESH_SECONDS, Upstream

SICK = Upstream(0.31, NOW)


def test_after_thirty_seconds_no_pod_is_added_for_the_load() -> None:
    run = Run(settled(3))
    run.steps(inputs(20.0, upstream=SICK), 2)
    verdict = run.step(inputs(60.0, upstream=SICK))
    assert (verdict.replicas, verdict.decided_by.reason) == (3, reasons.UPSTREAM_LIMITED)
    assert "fails more than 30% of the calls" in verdict.decided_by.message
    assert not verdict.may_claim


def test_nor_for_a_forecast_that_has_learned_the_sick_load() -> None:
    run = Run(settled(3))
    run.steps(inputs(20.0, upstream=SICK), 2)
    assert run.step(inputs(20.0, forecast=forecast(90.0), upstream=SICK)).replicas == 3


def test_before_that_the_load_counts() -> None:
    run = Run(settled(3))
    run.step(inputs(20.0, upstream=SICK))
    verdict = run.step(inputs(60.0, upstream=SICK))
    assert verdict.replicas == 9
    assert verdict.may_claim
    assert reasons.UPSTREAM_LIMITED in {term.reason for term in verdict.terms}


def test_thirty_percent_are_not_above() -> None:
    run = Run(settled(3))
    run.steps(inputs(20.0, upstream=Upstream(0.3, NOW)), 9)
    assert run.step(inputs(60.0, upstream=Upstream(0.3, NOW))).replicas == 9


def test_a_moment_of_health_begins_the_thirty_seconds_anew() -> None:
    run = Run(settled(3))
    run.steps(inputs(20.0, upstream=SICK), 2)
    run.step(inputs(20.0, upstream=Upstream(0.0, NOW)))
    run.step(inputs(20.0, upstream=SICK))
    assert run.step(inputs(60.0, upstream=SICK)).replicas == 9


def test_a_share_that_nobody_refreshes_does_not_count() -> None:
    run = Run(settled(3))
    stale = Upstream(0.9, NOW - FRESH_SECONDS - 1)
    run.steps(inputs(20.0, upstream=stale), 9)
    assert run.step(inputs(60.0, upstream=stale)).replicas == 9


def test_the_minimum_and_open_windows_still_get_their_pods() -> None:
    run = Run(settled(3))
    run.steps(inputs(20.0, upstream=SICK), 3)
    window = Present(6, "morning", 0.0, math.inf)
    assert run.step(inputs(90.0, upstream=SICK, schedule=window)).replicas == 6
    assert run.step(inputs(90.0, upstream=SICK, policy=policy(low=8))).replicas == 8


def test_fewer_pods_are_still_possible() -> None:
    run = Run(settled(8))
    assert run.steps(inputs(20.0, upstream=SICK), 20)[-1] == 3
