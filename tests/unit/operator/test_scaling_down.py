"""Down only after the stabilization window agrees, at a bounded rate, and never below what is needed soon."""

import pytest
from unit.operator.scaling_inputs import TICK, Run, decide, forecast, inputs, policy, settled

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Rate
from prewarm_operator.world.scaling import Forecast, History


def test_fewer_pods_only_after_fewer_were_enough_for_the_whole_window() -> None:
    run = Run(settled(3))
    assert run.step(inputs(60.0)).replicas == 9
    assert run.steps(inputs(5.0), 4) == [9, 9, 9, 1]


def test_while_it_holds_the_verdict_says_until_when() -> None:
    run = Run(settled(3))
    run.step(inputs(60.0, epoch_seconds=8 * 3600.0))
    verdict = run.step(inputs(5.0, epoch_seconds=8 * 3600.0))
    assert verdict.decided_by.reason == reasons.STABILIZING
    assert (
        verdict.decided_by.message
        == "1 pods would do; 9 were needed lately and are held until 08:01 UTC by stabilization"
    )
    assert verdict.again_after_seconds == 45.0


def test_a_second_peak_in_the_window_begins_it_anew() -> None:
    run = Run(settled(3))
    run.step(inputs(60.0))
    run.steps(inputs(5.0), 2)
    run.step(inputs(60.0))
    assert run.steps(inputs(5.0), 4) == [9, 9, 9, 1]


def test_it_falls_to_the_greatest_need_of_the_window_not_to_the_last() -> None:
    run = Run(settled(3))
    for load in (60.0, 35.0, 5.0, 5.0):
        run.step(inputs(load))
    assert run.steps(inputs(5.0), 2) == [5, 1]


def test_a_load_that_flaps_every_tick_leaves_the_pods_alone() -> None:
    run = Run(settled(9))
    assert {run.step(inputs(0.0 if tick % 2 else 60.0)).replicas for tick in range(60)} == {9}


def test_it_falls_at_the_bounded_rate_and_says_so() -> None:
    run = Run(settled(10))
    slow = policy(down=Rate(2, 10.0, 60.0), stabilization_seconds=15.0)
    verdict = run.step(inputs(5.0, policy=slow))
    assert (verdict.replicas, verdict.decided_by.reason) == (8, reasons.PACED)
    assert "2 or 10 % in 60 s" in verdict.decided_by.message
    assert run.steps(inputs(5.0, policy=slow), 8) == [8, 8, 8, 6, 6, 6, 6, 4]


def test_the_rate_is_pods_or_percent_whichever_is_more() -> None:
    by_percent = policy(down=Rate(1, 50.0, 60.0), stabilization_seconds=15.0)
    assert Run(settled(10)).step(inputs(5.0, policy=by_percent)).replicas == 5


def test_up_is_at_once_unless_a_rate_is_set() -> None:
    assert decide(inputs(70.0), settled(1)).replicas == 10
    run = Run(settled(1))
    assert run.steps(inputs(70.0, policy=policy(up=Rate(2, 100.0, 30.0))), 5) == [3, 3, 6, 6, 10]


def test_the_bounds_do_not_wait_for_window_or_rate() -> None:
    slow = policy(down=Rate(1, 1.0, 60.0), up=Rate(1, 1.0, 60.0), high=4)
    assert decide(inputs(70.0, policy=slow), settled(9)).replicas == 4
    assert decide(inputs(0.0, policy=policy(up=Rate(1, 1.0, 60.0), low=8)), settled(2)).replicas == 8


SOON = forecast(5.0, 30.0, 75.0, 20.0)


def test_pods_that_are_needed_within_minutes_stay() -> None:
    run = Run(settled(9))
    verdict = [run.step(inputs(5.0, forecast=SOON)) for _ in range(20)][-1]
    assert (verdict.replicas, verdict.decided_by.reason) == (8, reasons.NEEDED_SOON)
    assert "up to 75.0 requests" in verdict.decided_by.message


def test_pods_that_are_needed_within_minutes_are_not_started_yet() -> None:
    assert set(Run(settled(3)).steps(inputs(5.0, forecast=SOON), 10)) == {3}


def test_headroom_counts_once_on_what_is_needed_soon() -> None:
    run = Run(settled(3))
    assert run.steps(inputs(5.0, forecast=forecast(5.0, 30.0), policy=policy(headroom=1)), 20)[-1] == 3
    run = Run(settled(9))
    assert run.steps(inputs(5.0, forecast=forecast(5.0, 30.0), policy=policy(headroom=1)), 20)[-1] == 4


@pytest.mark.parametrize("unusable", [forecast(5.0, 90.0, poor=True), forecast(5.0, 90.0, valid=False)])
def test_a_forecast_that_does_not_count_holds_nothing(unusable: Forecast) -> None:
    assert Run(settled(9)).steps(inputs(5.0, forecast=unusable), 20)[-1] == 1


def test_the_history_stays_small_under_a_long_fall() -> None:
    run = Run(settled(10))
    for tick in range(2000):
        run.step(inputs(70.0 * (1 - tick / 2000)), seconds=0.1)
    assert len(run.history.recommended) <= 10
    assert len(run.history.changes) <= 10


def test_a_new_history_begins_with_the_count_that_there_is() -> None:
    run = Run(History())
    first = run.step(inputs(5.0))
    assert (first.replicas, first.decided_by.reason) == (3, reasons.STABILIZING)
    assert run.steps(inputs(5.0), 4)[-1] == 1
    assert run.now >= TICK
