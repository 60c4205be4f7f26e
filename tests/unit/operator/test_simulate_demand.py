"""From recorded requests to requests at once."""

import numpy as np
import pytest

from prewarm_operator.simulate.demand import concurrent, thinned, to_ticks


def test_counts_of_short_bins_add_up_and_averages_stay() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert to_ticks(values, 5.0, rates=False).tolist() == [6.0, 15.0]
    assert to_ticks(values, 5.0, rates=True).tolist() == [2.0, 5.0]


def test_counts_of_long_bins_are_divided_and_averages_stay() -> None:
    values = np.array([4000.0, 8000.0])
    ticks = to_ticks(values, 60.0, rates=False)
    assert ticks.reshape(2, 4).sum(axis=1).tolist() == [4000.0, 8000.0]
    assert ticks == pytest.approx(np.repeat([1000.0, 2000.0], 4), rel=0.15)
    assert to_ticks(values, 60.0, rates=True).tolist() == [4000.0] * 4 + [8000.0] * 4


def test_which_tick_a_request_falls_into_is_the_same_in_every_run() -> None:
    values = np.full(50, 10.0)
    first = to_ticks(values, 60.0, rates=False)
    assert first.tolist() == to_ticks(values, 60.0, rates=False).tolist()
    assert first.tolist() != to_ticks(values, 60.0, rates=False, seed=8).tolist()


def test_thinning_leads_to_the_mean_and_keeps_the_shape() -> None:
    arrivals = np.where(np.arange(20_000) < 10_000, 300.0, 100.0)
    kept = thinned(arrivals, 14.0, 30.0)
    assert concurrent(kept, 30.0).mean() == pytest.approx(14.0, rel=0.03)
    assert kept[:10_000].mean() / kept[10_000:].mean() == pytest.approx(3.0, rel=0.05)
    assert kept.tolist() == thinned(arrivals, 14.0, 30.0).tolist()


def test_a_trace_that_is_too_small_is_taken_whole() -> None:
    arrivals = np.array([1.0, 2.0, 3.0])
    assert thinned(arrivals, 1000.0, 30.0).tolist() == [1.0, 2.0, 3.0]


def test_requests_at_once_follow_littles_law() -> None:
    assert concurrent(np.full(500, 6.0), 45.0)[-1] == pytest.approx(6.0 / 15.0 * 45.0, rel=1e-6)


def test_one_request_is_there_for_its_service_time_and_fades() -> None:
    load = concurrent(np.array([1.0] + [0.0] * 100), 30.0)
    assert load.sum() * 15.0 == pytest.approx(30.0, rel=1e-6)
    assert load[3] / load[2] == pytest.approx(np.exp(-0.5))
    assert load[0] == pytest.approx(2 * (1 - 2 * (1 - np.exp(-0.5))))
