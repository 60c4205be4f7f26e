import math

import pytest

from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide.scale import policy
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.simulate.comparison import (
    DEFAULT_COLD_SHARE,
    FIXED,
    HPA_NAME,
    ORACLE,
    PREWARM,
    Comparison,
    Question,
    compare,
)
from prewarm_operator.simulate.forecasts import forecasts
from prewarm_operator.simulate.pods import Outcome

DEMAND = [40 + 30 * math.sin(tick / 60) for tick in range(600)]


def question(low: int = 1, high: int = 1000, hpa_target: float = 0.7) -> Question:
    return Question(DEMAND, 0.0, start_seconds=45.0, concurrency_limit=4, low=low, high=high, hpa_target=hpa_target)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(question())


def only(comparison: Comparison, policy: str) -> Outcome:
    (answer,) = comparison.of(policy)
    return answer.outcome


def test_the_oracle_is_never_cold_and_nobody_is_so_with_fewer_pods(comparison: Comparison) -> None:
    best = only(comparison, ORACLE)
    assert best.cold_share == 0
    others = [answer.outcome for answer in comparison.answers if answer.policy != ORACLE]
    assert all(other.pod_hours > best.pod_hours for other in others if other.cold_share == 0)


def test_a_fixed_number_for_the_peak_starts_no_pod_and_is_never_cold(comparison: Comparison) -> None:
    outcome = only(comparison, FIXED)
    assert (outcome.starts, outcome.cold_share) == (0, 0)


def test_what_is_compared_is_the_default_with_an_hpa_of_any_target(comparison: Comparison) -> None:
    assert comparison.ours.name == "Prewarm, target cold 1%"
    assert comparison.hpa.name == "HPA, target 70%"
    assert len(comparison.of(HPA_NAME)) == 5
    other = compare(question(hpa_target=0.65))
    assert other.hpa.name == "HPA, target 65%"
    assert len(other.of(HPA_NAME)) == 6
    assert comparison.hpa.outcome.pod_hours < other.hpa.outcome.pod_hours


def test_a_smaller_target_cold_share_costs_more(comparison: Comparison) -> None:
    hours = [answer.outcome.pod_hours for answer in comparison.of(PREWARM)]
    assert hours == sorted(hours)
    assert hours[0] < hours[-1]


def test_the_bounds_hold_for_everybody() -> None:
    for answer in compare(question(low=5, high=9)).answers:
        assert min(answer.outcome.total) >= 5, answer
        assert max(answer.outcome.total[1:]) <= 9 or answer.outcome.total[0] > 9, answer


def test_the_operator_plans_for_what_an_agentdeployment_with_these_bounds_says() -> None:
    spec = AgentDeploymentSpec.model_validate(
        {"agent": {"component": {}}, "mode": "Auto", "minReplicas": 3, "maxReplicas": 9, "concurrencyLimit": 4}
    )
    assert question(low=3, high=9).policy == policy(spec)


def test_a_forecast_knows_only_what_was_before_it() -> None:
    setting = (45.0, DEFAULT_COLD_SHARE)
    whole = forecasts(DEMAND, [setting])[setting]
    cut = forecasts(DEMAND[:300], [setting])[setting]
    assert [whole(tick) for tick in range(1, 301)] == [cut(tick) for tick in range(1, 301)]
    assert whole.expected[:300] == cut.expected
    assert whole(1).horizon_seconds == 45.0 + TICK_SECONDS
    assert all(expected <= made.upper for expected, made in zip(whole.expected, whole.made, strict=True))


def test_progress_is_told_of_every_tick() -> None:
    seen: list[int] = []
    compare(question(), seen.append)
    assert seen == list(range(len(DEMAND)))
