"""What asks for pods: the load, the forecast, windows, headroom."""

import math

import pytest
from unit.operator.scaling_inputs import NOW, decide, forecast, inputs, policy

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Pods, Verdict
from prewarm_operator.decide.schedule import Present
from prewarm_operator.signals.reading import FRESH_SECONDS, Upstream
from prewarm_operator.world.scaling import Forecast, History


def decided(verdict: Verdict) -> tuple[int, str]:
    return verdict.replicas, verdict.decided_by.reason


@pytest.mark.parametrize(("load", "pods"), [(21.0, 3), (21.1, 4), (42.0, 6), (0.3, 1)])
def test_without_a_forecast_pods_are_planned_at_the_target(load: float, pods: int) -> None:
    (term,) = (term for term in decide(inputs(load)).terms if term.name == "reactive")
    assert term.replicas == pods
    assert f"{load:.1f} requests" in term.message
    assert "7 each (streams)" in term.message


def test_beside_a_forecast_pods_may_be_full_for_its_quantile_is_the_reserve() -> None:
    assert decided(decide(inputs(40.0, forecast=forecast(0.0)))) == (4, reasons.LOAD_NOW)


def test_a_forecast_raises_before_the_load_is_there() -> None:
    verdict = decide(inputs(5.0, forecast=forecast(61.0)))
    assert decided(verdict) == (7, reasons.LOAD_FORECAST)
    assert "in 30 s the load will hardly exceed 61.0 requests" in verdict.decided_by.message


def test_a_forecast_never_lowers() -> None:
    assert decided(decide(inputs(50.0, forecast=forecast(1.0)))) == (5, reasons.LOAD_NOW)


@pytest.mark.parametrize(
    ("broken", "reason", "why"),
    [
        (None, reasons.NO_FORECAST, "nothing has made one"),
        (forecast(90.0, valid=False, problem="it needs 40 more minutes"), reasons.NO_FORECAST, "needs 40 more minutes"),
        (forecast(math.nan), reasons.NO_FORECAST, "nan"),
        (forecast(math.inf), reasons.NO_FORECAST, "inf"),
        (forecast(-1.0), reasons.NO_FORECAST, "-1"),
        (forecast(90.0, math.inf), reasons.NO_FORECAST, "no forecast"),
        (forecast(90.0, at_seconds=NOW - FRESH_SECONDS - 1), reasons.NO_FORECAST, "more than 45 s old"),
        (forecast(90.0, at_seconds=NOW + 3600), reasons.NO_FORECAST, "of a time to come"),
        (forecast(90.0, poor=True, coverage=0.8123), reasons.FORECAST_POOR, "81.2%"),
    ],
)
def test_a_forecast_that_does_not_count_says_why_and_the_load_is_planned_at_the_target(
    broken: Forecast | None, reason: str, why: str
) -> None:
    verdict = decide(inputs(35.0, forecast=broken))
    assert decided(verdict) == (5, reasons.LOAD_NOW)
    (term,) = (term for term in verdict.terms if term.name == "forecast")
    assert (term.reason, term.replicas) == (reason, None)
    assert why in term.message


def test_a_forecast_that_explodes_stops_at_the_maximum() -> None:
    verdict = decide(inputs(5.0, forecast=forecast(1e308, 1e308)))
    assert decided(verdict) == (10, reasons.LOWERED_TO_MAXIMUM)
    assert "spec.maxReplicas allows 10" in verdict.decided_by.message


def test_an_open_window_keeps_its_pods() -> None:
    verdict = decide(inputs(5.0, schedule=Present(6, "morning", 0.0, 8 * 3600.0)))
    assert decided(verdict) == (6, reasons.SCHEDULE)
    assert verdict.decided_by.message == "window morning asks for 6 pods, at least until 08:00 UTC"


def test_a_window_below_the_minimum_does_not_lower_it_and_says_so() -> None:
    verdict = decide(inputs(5.0, policy=policy(low=2), schedule=Present(0, "night", 0.0, math.inf)))
    assert verdict.replicas >= 2
    (term,) = (term for term in verdict.terms if term.name == "schedule")
    assert "does not lower spec.minReplicas 2" in term.message


def test_a_closed_window_asks_for_nothing_but_tells_when_it_opens() -> None:
    verdict = decide(inputs(50.0, schedule=Present(None, "", 0.0, 20.0)))
    assert verdict.replicas == 8
    assert verdict.again_after_seconds == 20.0


def test_headroom_comes_on_top_of_the_greatest() -> None:
    verdict = decide(inputs(35.0, policy=policy(headroom=2)))
    assert decided(verdict) == (7, reasons.HEADROOM)
    assert "which is 5 pods" in verdict.decided_by.message
    assert "2 of headroom" in verdict.decided_by.message


def test_the_bounds_win_over_everything() -> None:
    assert decided(decide(inputs(1.0, policy=policy(low=4)))) == (4, reasons.RAISED_TO_MINIMUM)
    assert decided(decide(inputs(1e6))) == (10, reasons.LOWERED_TO_MAXIMUM)
    assert decide(inputs(1e6, policy=policy(low=4, high=2))).replicas == 4


def test_a_new_agent_without_any_metric_gets_its_minimum() -> None:
    assert decide(inputs(policy=policy(low=2), pods=Pods(0)), History()).replicas == 2


def test_the_verdict_tells_when_it_changes_by_itself() -> None:
    assert decide(inputs(21.0)).again_after_seconds == FRESH_SECONDS
    assert decide(inputs(21.0, forecast=forecast(1.0, at_seconds=NOW - 15))).again_after_seconds == FRESH_SECONDS - 15
    failing = Upstream(0.9, NOW - 5)
    assert decide(inputs(21.0, upstream=failing)).again_after_seconds == 25.0
