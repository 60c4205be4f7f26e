"""Unknown is not zero: nothing is scaled down while the load is not known."""

import math

import pytest
from unit.operator.scaling_inputs import Run, decide, forecast, inputs, policy, reading, settled

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Pods
from prewarm_operator.signals.reading import FRESH_SECONDS, Reading, Validity
from prewarm_operator.world.scaling import History

INVALID = reading(0.0, validity=Validity.INVALID)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (None, "nothing reports it yet"),
        (INVALID, "streams misses pods"),
        (reading(math.nan), "streams says nan"),
        (reading(math.inf), "streams says inf"),
        (reading(-1.0), "streams says -1"),
        (reading(0.0, age_seconds=FRESH_SECONDS + 1), "streams is more than 45 s old"),
        (reading(0.0, age_seconds=-3600.0), "streams is of a time to come"),
    ],
)
def test_a_load_that_is_not_known_holds_the_pods_and_says_why(known: Reading | None, why: str) -> None:
    run = Run(settled(7))
    verdicts = [run.step(inputs(reading=known)) for _ in range(100)]
    assert {verdict.replicas for verdict in verdicts} == {7}
    assert all(verdict.blind for verdict in verdicts)
    assert verdicts[-1].decided_by.reason == reasons.LOAD_UNKNOWN
    assert why in verdicts[-1].decided_by.message


def test_an_absurd_load_stops_at_the_maximum() -> None:
    assert decide(inputs(1e308)).replicas == 10


def test_a_valid_reading_is_not_blind() -> None:
    assert not decide(inputs(21.0)).blind


def test_a_partial_reading_raises() -> None:
    verdict = decide(inputs(reading=reading(60.0, validity=Validity.PARTIAL)))
    assert (verdict.replicas, verdict.decided_by.reason) == (9, reasons.LOAD_NOW)
    assert verdict.blind


def test_a_partial_reading_never_lowers() -> None:
    run = Run(settled(7))
    partial = inputs(reading=reading(5.0, validity=Validity.PARTIAL))
    verdict = [run.step(partial) for _ in range(50)][-1]
    assert (verdict.replicas, verdict.decided_by.reason) == (7, reasons.LOAD_PARTLY_KNOWN)


def test_a_hold_does_not_hide_a_higher_term_that_is_known() -> None:
    """kedacore/keda 6659: the fall-back lowered below another valid term."""
    assert decide(inputs(reading=INVALID, forecast=forecast(90.0)), settled(4)).replicas == 9


def test_a_signal_that_comes_and_goes_moves_nothing() -> None:
    """kedacore/keda 4249: the fall-back flaps."""
    run = Run(settled(6))
    seen = {run.step(inputs(5.0) if tick % 2 else inputs(reading=INVALID)).replicas for tick in range(40)}
    assert seen == {6}


def test_once_the_load_is_known_again_the_whole_window_must_agree() -> None:
    run = Run(settled(6))
    run.steps(inputs(reading=INVALID), 3)
    assert run.steps(inputs(5.0), 4) == [6, 6, 6, 1]


def test_the_first_recommendation_after_a_restart_is_the_count_that_there_is() -> None:
    assert decide(inputs(5.0, pods=Pods(5, 2)), History()).replicas == 7


def test_after_a_restart_without_readings_the_count_stays() -> None:
    run = Run(History())
    assert set(run.steps(inputs(pods=Pods(8)), 50)) == {8}


def test_after_a_restart_more_pods_come_at_once() -> None:
    assert decide(inputs(60.0, pods=Pods(5)), History()).replicas == 9


def test_headroom_does_not_grow_on_a_held_count() -> None:
    run = Run(settled(4))
    assert set(run.steps(inputs(reading=INVALID, policy=policy(headroom=2)), 20)) == {4}
