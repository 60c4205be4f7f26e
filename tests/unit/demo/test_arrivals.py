from itertools import pairwise

import pytest

from prewarm_demo.load.arrivals import poisson, ramp


def test_both_sides_of_an_act_see_the_same_arrivals() -> None:
    plan = {"seed": 1, "rate_per_second": 60.0, "count": 5000, "clients": 8}

    assert poisson(**plan) == poisson(**plan)
    assert poisson(**plan) != poisson(**{**plan, "seed": 2})


def test_arrivals_come_in_order_at_the_rate_asked_for() -> None:
    arrivals = poisson(seed=1, rate_per_second=60, count=6000, clients=8)

    assert len(arrivals) == 6000
    assert [a.due_seconds for a in arrivals] == sorted(a.due_seconds for a in arrivals)
    assert arrivals[-1].due_seconds == pytest.approx(100, rel=0.05)


def test_arrivals_are_bursty_as_independent_users_are() -> None:
    arrivals = poisson(seed=1, rate_per_second=60, count=6000, clients=8)
    gaps = [b.due_seconds - a.due_seconds for a, b in pairwise(arrivals)]

    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.05), "an exponential distribution deviates by its mean"


def test_every_client_gets_its_share() -> None:
    arrivals = poisson(seed=1, rate_per_second=60, count=8000, clients=8)

    shares = [sum(a.client == client for a in arrivals) for client in range(8)]
    assert sum(shares) == 8000
    assert min(shares) > 900


def test_a_ramp_follows_its_rates_and_changes_evenly_in_between() -> None:
    arrivals = ramp(seed=1, rates_per_second=[0, 100, 100, 0], step_seconds=20, clients=4)
    due = [arrival.due_seconds for arrival in arrivals]

    assert due == sorted(due)
    counts = [sum(begin <= at < begin + 10 for at in due) for begin in range(0, 60, 10)]
    assert counts == pytest.approx([250, 750, 1000, 1000, 750, 250], abs=100)
    assert sum(counts) == len(due), "nothing comes after the last rate"


def test_both_sides_see_the_same_ramp() -> None:
    plan = {"seed": 3, "rates_per_second": [1.0, 5.0], "step_seconds": 60.0, "clients": 8}

    assert ramp(**plan) == ramp(**plan)
    assert ramp(**plan) != ramp(**{**plan, "seed": 4})
    assert {arrival.client for arrival in ramp(**plan)} == set(range(8))
