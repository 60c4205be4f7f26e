from itertools import pairwise

import pytest

from prewarm_demo.load.arrivals import poisson


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
