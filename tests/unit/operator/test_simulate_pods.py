"""Pods over time: asked for, serving a start time later, paid for from the first."""

import pytest

from prewarm_operator.simulate.pods import Ask, run


def plan(*counts: int) -> Ask:
    """A policy that knows its counts by heart, from the second tick on."""
    return lambda tick, _total, _ready: counts[tick - 1]


def test_a_pod_serves_a_start_time_after_it_was_asked_for() -> None:
    outcome = run([4.0] * 6, 4, 30.0, plan(3, 3, 3, 3, 3))
    assert outcome.total == (1, 3, 3, 3, 3, 3)
    assert outcome.ready == (1, 1, 1, 3, 3, 3)


def test_a_start_time_between_ticks_counts_as_the_longer_one() -> None:
    assert run([4.0] * 4, 4, 16.0, plan(2, 2, 2)).ready == run([4.0] * 4, 4, 30.0, plan(2, 2, 2)).ready


def test_a_pod_without_start_time_serves_at_once() -> None:
    assert run([4.0] * 3, 4, 0.0, plan(2, 2)).ready == (1, 2, 2)


def test_the_youngest_pods_go_first() -> None:
    outcome = run([8.0] * 6, 4, 45.0, plan(4, 5, 3, 3, 3))
    assert outcome.total == (2, 4, 5, 3, 3, 3)
    assert outcome.ready == (2, 2, 2, 2, 3, 3)


def test_ready_pods_go_when_no_starting_ones_are_left() -> None:
    outcome = run([12.0] * 4, 4, 30.0, plan(4, 1, 1))
    assert outcome.ready == (3, 3, 1, 1)


def test_what_is_asked_below_the_minimum_is_not_done() -> None:
    assert run([4.0] * 3, 4, 0.0, plan(0, 0), minimum=2).total == (2, 2, 2)


def test_the_first_load_is_served() -> None:
    assert run([9.0], 4, 45.0, plan()).ready == (3,)


def test_cold_demand_is_what_ready_pods_do_not_take() -> None:
    outcome = run([4.0, 10.0, 4.0, 2.0], 4, 15.0, plan(1, 3, 3))
    assert outcome.cold_share == pytest.approx(6 / 20)
    assert outcome.cold_time_share == 1 / 4


def test_every_pod_is_paid_for_also_while_it_starts() -> None:
    outcome = run([4.0] * 4, 4, 45.0, plan(3, 3, 3))
    assert outcome.pod_hours == pytest.approx((1 + 3 + 3 + 3) * 15 / 3600)


def test_starts_are_counted() -> None:
    assert run([4.0] * 5, 4, 15.0, plan(3, 2, 4, 1)).starts == 2 + 2


def test_nothing_counts_before_the_first_tick_that_does() -> None:
    outcome = run([100.0, 100.0, 4.0, 4.0], 4, 0.0, plan(1, 1, 1), first=2)
    assert (outcome.cold_share, outcome.cold_time_share, outcome.starts) == (0.0, 0.0, 0)
    assert outcome.pod_hours == pytest.approx(2 * 15 / 3600)
    assert len(outcome.total) == 4


def test_without_any_demand_nothing_is_cold() -> None:
    assert run([0.0, 0.0], 4, 0.0, plan(1)).cold_share == 0.0
