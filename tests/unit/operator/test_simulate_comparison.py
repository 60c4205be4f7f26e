import math

import pytest

from prewarm_operator.simulate.comparison import DEFAULT_COLD_SHARE, Answer, Question, compare
from prewarm_operator.simulate.demand import TICK_SECONDS
from prewarm_operator.simulate.forecasts import forecasts

DEMAND = [40 + 30 * math.sin(tick / 60) for tick in range(600)]


def question(low: int = 1, high: int = 1000) -> Question:
    return Question(DEMAND, 0.0, start_seconds=45.0, concurrency_limit=4, low=low, high=high)


def named(answers: list[Answer], policy: str) -> Answer:
    return next(answer for answer in answers if answer.policy == policy)


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    return list(compare(question()))


def test_the_oracle_is_never_cold_and_nobody_is_so_with_fewer_pods(answers: list[Answer]) -> None:
    best = named(answers, "oracle").outcome
    assert best.cold_share == 0
    others = [answer.outcome for answer in answers if answer.policy != "oracle"]
    assert all(other.pod_hours > best.pod_hours for other in others if other.cold_share == 0)


def test_a_fixed_number_for_the_peak_starts_no_pod_and_is_never_cold(answers: list[Answer]) -> None:
    outcome = named(answers, "fixed").outcome
    assert (outcome.starts, outcome.cold_share) == (0, 0)


def test_each_policy_has_one_default(answers: list[Answer]) -> None:
    assert [answer.policy for answer in answers if answer.is_default] == ["Prewarm", "HPA", "Knative KPA"]
    assert named(answers, "HPA").setting == "target 90%"


def test_the_bounds_hold_for_everybody() -> None:
    for answer in compare(question(low=5, high=9)):
        assert min(answer.outcome.total) >= 5, answer
        assert max(answer.outcome.total[1:]) <= 9 or answer.outcome.total[0] > 9, answer


def test_a_forecast_knows_only_what_was_before_it() -> None:
    setting = (45.0, DEFAULT_COLD_SHARE)
    whole = forecasts(DEMAND, [setting])[setting]
    cut = forecasts(DEMAND[:300], [setting])[setting]
    assert [whole(tick) for tick in range(1, 301)] == [cut(tick) for tick in range(1, 301)]
    first = whole(1)
    assert first is not None
    assert first.horizon_seconds == 45.0 + TICK_SECONDS


def test_progress_is_told_of_every_tick() -> None:
    seen: list[int] = []
    list(compare(question(), seen.append))
    assert seen == list(range(len(DEMAND)))
