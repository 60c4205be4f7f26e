"""The policies of others do what the originals do."""

import pytest

from prewarm_operator.decide.scaling.model import Rate
from prewarm_operator.simulate.peers import HPA, KPA, Limits, fixed, oracle
from prewarm_operator.simulate.pods import Ask, run


def totals(policy: Ask, demand: list[float], start_seconds: float = 0.0) -> list[int]:
    return list(run(demand, 10, start_seconds, policy).total)


def hpa(demand: list[float], target: float = 0.7) -> list[int]:
    return totals(HPA(demand, 10, target), demand)


def test_hpa_aims_at_its_target() -> None:
    assert hpa([40.0] * 3) == [4, 6, 6]
    assert hpa([40.0] * 3, target=0.5) == [4, 8, 8]


@pytest.mark.parametrize(("load", "pods"), [(46.1, 6), (46.3, 7), (37.7, 6)])
def test_hpa_tolerates_ten_percent(load: float, pods: int) -> None:
    assert hpa([60.0, load, load])[1:] != []
    assert HPA([load], 10)(1, 6, 6) == pods


@pytest.mark.parametrize(("now", "most"), [(1, 5), (3, 7), (4, 8), (10, 20)])
def test_hpa_adds_four_pods_or_doubles_whichever_is_more(now: int, most: int) -> None:
    assert HPA([10_000.0], 10)(1, now, now) == most


def test_hpa_holds_the_greatest_recommendation_of_300_seconds() -> None:
    demand = [70.0] * 3 + [7.0] * 25
    held = hpa(demand)
    assert held[3:23] == [10] * 20
    assert held[23] == 1


def test_hpa_under_other_limits() -> None:
    demand = [70.0] * 3 + [7.0] * 9
    slow = Limits(up=None, down=Rate(2, 10.0, 30.0), stabilization_seconds=30.0)
    assert totals(HPA(demand, 10, 0.7, slow), demand)[2:] == [10, 10, 10, 8, 8, 6, 6, 4, 4, 2]


def test_kpa_follows_the_mean_of_a_minute() -> None:
    demand = [70.0, 70.0, 70.0, 70.0, 35.0, 35.0, 35.0, 35.0, 35.0]
    assert totals(KPA(demand, 10), demand)[4:] == [10, 9, 8, 7, 5]


def test_kpa_panics_at_twice_its_capacity_and_then_does_not_fall_for_a_minute() -> None:
    demand = [7.0] * 5 + [70.0] + [7.0] * 8
    counts = totals(KPA(demand, 10), demand)
    assert counts[5:10] == [1, 10, 10, 10, 10]
    assert counts[10] == 5  # at most half goes at a time


def test_a_fixed_count_stays() -> None:
    assert totals(fixed(3), [7.0, 700.0, 0.0]) == [1, 3, 3]


def test_the_oracle_is_never_cold_and_one_pod_fewer_would_be() -> None:
    demand = [10.0, 10.0, 10.0, 40.0, 10.0, 10.0, 10.0]
    outcome = run(demand, 10, 30.0, oracle(demand, 10, 30.0))
    assert outcome.cold_share == 0.0
    assert outcome.total == (1, 4, 4, 4, 1, 1, 1)
