"""The number of pods in the modes Auto and Observe, from the spec to condition and status."""

from datetime import UTC, datetime
from typing import Any

import pytest
from unit.operator.builders import agent, agent_body, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.scale import policy, scale
from prewarm_operator.decide.scaling_active import scaling_active
from prewarm_operator.decide.status import report
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.reading import Reading, Upstream, Validity
from prewarm_operator.world.scaling import Forecast, History, Signals
from prewarm_operator.world.snapshot import Snapshot

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOW = 1000.0
"""As in the builders, on the monotonic clock."""


def auto(load: float | None = None, *, signals: Signals | None = None, **spec: Any) -> Snapshot:
    known = Signals(None if load is None else Reading(load, NOW, "the pods")) if signals is None else signals
    of = agent(**{"mode": "Auto", "minReplicas": 1, "maxReplicas": 20, "concurrencyLimit": 10, **spec})
    return snapshot(of, signals=known, now=NOW)


def test_the_load_sets_the_number_at_the_target_while_there_is_no_forecast() -> None:
    assert scale(auto(69.0)).replicas == 10
    assert scale(auto(69.0, targetConcurrency=5)).replicas == 14


def test_the_forecast_raises_it() -> None:
    forecast = Forecast(at_seconds=NOW, horizon_seconds=60.0, upper=120.0)
    found = scale(auto(signals=Signals(Reading(10.0, NOW, "the pods"), None, forecast)))
    assert (found.replicas, found.reason) == (12, reasons.LOAD_FORECAST)


def test_headroom_comes_on_top_and_bounds_hold() -> None:
    assert scale(auto(69.0, scaling={"headroom": 3})).replicas == 13
    assert scale(auto(6900.0)).replicas == 20


def test_an_unknown_load_is_not_zero() -> None:
    found = scale(snapshot(agent(mode="Auto", minReplicas=1, maxReplicas=9), history=History(replicas=7), now=NOW))
    assert (found.replicas, found.reason) == (7, reasons.LOAD_UNKNOWN)


def test_a_pause_keeps_the_number() -> None:
    paused = auto(69.0, scaling={"paused": True})
    assert scale(paused).replicas == 1
    condition = scaling_active(paused, decide(paused))
    assert (condition.status, condition.reason) == ("False", reasons.PAUSED)


WINDOW = {"name": "now", "start": "* * * * *", "duration": "60s", "replicas": 4}


def test_an_open_window_keeps_its_pods() -> None:
    found = scale(auto(0.0, scaling={"schedule": [WINDOW]}))
    assert (found.replicas, found.reason) == (4, reasons.SCHEDULE)


def test_a_window_that_is_wrong_is_told_and_does_not_count() -> None:
    wrong = auto(0.0, scaling={"schedule": [{**WINDOW, "timeZone": "Berlin"}]})
    condition = scaling_active(wrong, decide(wrong))
    assert (condition.status, condition.reason) == ("False", reasons.SCHEDULE_NOT_UNDERSTOOD)
    assert "spec.scaling.schedule[now].timeZone" in condition.message
    assert scale(wrong).replicas == 1


@pytest.mark.parametrize(("duration", "is_open"), [("1h1m", True), ("59m", False)])
def test_a_duration_is_in_hours_minutes_and_seconds(duration: str, is_open: bool) -> None:
    at_eleven = {**WINDOW, "start": "0 23 * * *", "duration": duration}  # the builders' clock shows midnight
    assert (scale(auto(0.0, scaling={"schedule": [at_eleven]})).reason == reasons.SCHEDULE) is is_open


def test_observe_keeps_spec_replicas_and_tells_what_auto_would_do() -> None:
    found = auto(69.0, mode="Observe", replicas=2)
    plan = decide(found)
    assert plan.scale.replicas == 2
    status = report(found, plan, (), AT).status
    assert status is not None
    assert status["scaling"]["autoReplicas"] == 10


def test_a_partly_known_load_and_a_sick_model_api_are_told() -> None:
    partial = auto(signals=Signals(Reading(5.0, NOW, "the pods", Validity.PARTIAL, "miss one")))
    assert scaling_active(partial, decide(partial)).reason == reasons.LOAD_PARTLY_KNOWN
    sick = Signals(Reading(69.0, NOW, "the pods"), Upstream(0.5, NOW))
    limited = snapshot(
        agent(mode="Auto", concurrencyLimit=10),
        signals=sick,
        history=History(replicas=3, upstream_above_since=NOW - 40),
        now=NOW,
    )
    assert scaling_active(limited, decide(limited)).reason == reasons.UPSTREAM_LIMITED
    assert scale(limited).replicas == 3


def test_the_target_cold_share_is_the_forecasts_and_no_part_of_the_policy() -> None:
    assert policy(agent(scaling={"targetColdPercent": 5}).spec) == policy(agent().spec)


def test_the_status_tells_every_term_and_is_not_written_for_another_digit_of_the_load() -> None:
    first = auto(69.0)
    status = report(first, decide(first), (), AT).status
    assert status is not None
    assert {term["name"] for term in status["scaling"]["terms"]} >= {"reactive", "forecast"}
    body = agent_body(mode="Auto", minReplicas=1, maxReplicas=20, concurrencyLimit=10, status=status)
    later = snapshot(parse(body), signals=Signals(Reading(69.5, NOW, "the pods")), history=History(10), now=NOW)
    assert report(later, decide(later), (), AT).status is None
