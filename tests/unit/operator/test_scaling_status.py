"""What the status tells about the number of pods: its history, the forecast's quality, and how often it is written."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from unit.operator.builders import agent_body, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.scaling_status import HISTORY_LENGTH
from prewarm_operator.decide.status import report
from prewarm_operator.forecast import FleetForecast
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.answer import Answer, Series
from prewarm_operator.signals.combined import combined
from prewarm_operator.signals.fleet import Fleet, own_reading
from prewarm_operator.signals.reading import Reading, Upstream, Validity
from prewarm_operator.world.scaling import Forecast, History, Signals, forecast_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = 1000.0
Status = dict[str, Any]


class Agent:
    """One AgentDeployment whose status is written back, as the API server would merge it."""

    def __init__(self, **spec: Any) -> None:
        self.spec = {"mode": "Auto", "minReplicas": 1, "maxReplicas": 50, "concurrencyLimit": 10, **spec}
        self.status: Status = {}
        self.history = History()
        self.events: list[tuple[bool, str]] = []

    def reconcile(
        self,
        at: datetime,
        *,
        load: float = 0.0,
        forecast: Forecast | None = None,
        signals: Signals | None = None,
        **spec: Any,
    ) -> bool:
        """Whether the status was written. `at` is when; both clocks follow it. `signals` instead of a known load."""
        self.spec |= spec
        now = NOW + (at - NOON).total_seconds()
        of = parse(agent_body(status=self.status or None, **self.spec))
        signals = signals or Signals(Reading(load, now, "the pods"), None, forecast)
        seen = snapshot(of, signals=signals, history=self.history, now=now, taken_at=at.timestamp())
        plan = decide(seen)
        told = report(seen, plan, (), at)
        self.history = plan.scale.history
        self.events += [(event.warning, event.reason) for event in told.events]
        self.status = merged(self.status, told.status or {})
        return told.status is not None

    @property
    def changes(self) -> list[tuple[int, int, str]]:
        history = self.status["scaling"].get("history", ())
        return [(change["from"], change["to"], change["reason"]) for change in history]


def merged(old: Status, patch: Any) -> Status:
    """RFC 7386."""
    result = dict(old)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key) or {}, value)
        else:
            result[key] = value
    return result


def later(**after: float) -> datetime:
    return NOON + timedelta(**after)


def forecast(coverage: float | None = 0.95, pinball: float | None = 2.0, **fields: Any) -> Forecast:
    return Forecast(
        **{"at_seconds": NOW, "horizon_seconds": 75.0, "upper": 5.0} | fields, coverage=coverage, pinball=pinball
    )


def test_the_first_status_has_no_change_and_no_null_in_it() -> None:
    of = Agent()
    assert of.reconcile(NOON)
    assert "history" not in of.status["scaling"]
    assert "None" not in repr(of.status)


def test_every_change_is_told_with_both_numbers_time_and_reason_newest_first() -> None:
    of = Agent()
    of.reconcile(NOON)
    of.reconcile(later(minutes=1), load=20)
    of.reconcile(later(minutes=9), load=40)
    assert of.changes == [(3, 6, reasons.LOAD_NOW), (1, 3, reasons.LOAD_NOW)]
    newest = of.status["scaling"]["history"][0]
    assert newest["time"] == "2026-01-01T12:09:00Z"
    assert "the load is 40.0 requests" in newest["message"]


def test_steps_in_one_direction_for_one_reason_are_one_change() -> None:
    of = Agent(mode="External", replicas=1)
    of.reconcile(NOON)
    for minute in range(1, 4):
        of.reconcile(later(minutes=minute), replicas=1 + minute)
    (run,) = of.status["scaling"]["history"]
    assert (run["from"], run["to"], run["since"], run["time"]) == (
        1,
        4,
        "2026-01-01T12:01:00Z",
        "2026-01-01T12:03:00Z",
    )


@pytest.mark.parametrize(("minutes", "replicas"), [(4, 5), (2, 2)])
def test_a_step_that_comes_late_or_turns_back_is_another_change(minutes: float, replicas: int) -> None:
    of = Agent(mode="External", replicas=1)
    of.reconcile(NOON)
    of.reconcile(later(minutes=1), replicas=4)
    of.reconcile(later(minutes=minutes), replicas=replicas)
    assert of.changes == [(4, replicas, reasons.SPEC_REPLICAS), (1, 4, reasons.SPEC_REPLICAS)]


def test_a_step_for_another_reason_is_another_change() -> None:
    of = Agent(mode="External", replicas=1)
    of.reconcile(NOON)
    of.reconcile(later(minutes=1), replicas=4)
    of.reconcile(later(minutes=2), replicas=99)
    assert of.changes == [(4, 50, reasons.LOWERED_TO_MAXIMUM), (1, 4, reasons.SPEC_REPLICAS)]


def test_the_history_is_bounded_and_outlives_the_operator() -> None:
    of = Agent(mode="External", replicas=1)
    of.reconcile(NOON)
    for hour in range(1, HISTORY_LENGTH + 5):
        of.history = History()  # all that an operator remembers
        of.reconcile(later(hours=hour), replicas=1 + hour % 2)
    assert len(of.changes) == HISTORY_LENGTH
    assert of.status["scaling"]["history"][0]["time"] == "2026-01-02T12:00:00Z"


def test_observe_tells_what_auto_would_have_changed() -> None:
    of = Agent(mode="Observe", replicas=2)
    of.reconcile(NOON)
    of.reconcile(later(minutes=1), load=30)
    (change,) = of.status["scaling"]["history"]
    assert (change["observed"], change["to"], of.status["desiredReplicas"]) == (True, 5, 2)
    assert "decides" in next(term for term in of.status["scaling"]["terms"] if term["name"] == "reactive")


def test_one_term_decides() -> None:
    of = Agent(minReplicas=3)
    of.reconcile(NOON)
    assert [term["name"] for term in of.status["scaling"]["terms"] if term.get("decides")] == ["bounds"]


def test_what_no_longer_is_goes_from_the_status_in_one_write() -> None:
    of = Agent()
    of.reconcile(NOON, forecast=forecast())
    assert {"terms", "forecast", "load"} <= of.status["scaling"].keys()
    assert of.reconcile(later(seconds=5), mode="External")
    assert not {"terms", "forecast", "load"} & of.status["scaling"].keys()
    assert not of.reconcile(later(seconds=6))


def test_horizon_coverage_and_loss_are_told() -> None:
    of = Agent()
    of.reconcile(NOON, forecast=forecast(0.9472, 2.3456))
    assert of.status["scaling"]["forecast"] == {"horizonSeconds": 75.0, "coveragePercent": 94.7, "pinballLoss": 2.35}


def settled(first: Forecast) -> Agent:
    """An agent whose first pod is known: that it will be needed soon is told then."""
    of = Agent()
    of.reconcile(NOON, forecast=first)
    of.reconcile(NOON, forecast=first)
    return of


@pytest.mark.parametrize(
    ("quality", "is_written"),
    [
        ({"coverage": 0.959}, False),
        ({"coverage": 0.961}, True),
        ({"pinball": 2.4}, False),
        ({"pinball": 2.8}, True),
        ({"horizon_seconds": 90.0}, True),
        ({"coverage": None, "pinball": None, "unjudged": 3}, True),
    ],
)
def test_a_quality_that_moves_a_little_is_no_write(quality: dict[str, Any], is_written: bool) -> None:
    of = settled(forecast())
    assert (
        of.reconcile(later(seconds=15), forecast=forecast(**{"coverage": 0.95, "at_seconds": NOW + 15} | quality))
        is is_written
    )


SILENT = Reading(0.0, NOW, "the load stream of the pods", Validity.INVALID, "is silent")


def from_prometheus(now: float, *, newest: float, oldest: float) -> Reading:
    """What is known of two pods, whose samples are that old, while no stream is heard."""
    parts = {"in_flight": 9.0, "queued": 0.0, "least": 1.0, "pods": 2.0, "oldest": EPOCH - oldest}
    told = Fleet(now, EPOCH, {("team", "support"): parts | {"newest": EPOCH - newest}})
    return combined(SILENT, told.reading(("team", "support"), 2, 100), now)


def answered_late(now: float, seconds: float) -> Reading:
    return own_reading(Answer((Series({}, ((EPOCH - seconds, 3.0),)),)), now, EPOCH)


EPOCH = 1_767_225_600.0
MOVING: dict[str, Callable[[float, float], Signals]] = {
    "one pod's sample": lambda now, age: Signals(from_prometheus(now, newest=5, oldest=50 + age)),
    "all samples": lambda now, age: Signals(from_prometheus(now, newest=50 + age, oldest=50 + age)),
    "a cache": lambda now, age: Signals(answered_late(now, 3600 + age)),
    "a reading that nobody has renewed": lambda now, age: Signals(Reading(9.0, now - 50 - age, "the pods")),
    "an error share": lambda now, age: Signals(Reading(9.0, now, "the pods"), Upstream(0.5 + age / 100, now)),
    "a forecast that waits for loads": lambda now, age: Signals(SILENT, None, forecast(None, None, unjudged=16)),
}


@pytest.mark.parametrize("what", MOVING)
def test_what_only_grows_older_is_no_write(what: str) -> None:
    """An outage would be a write for every agent each time that it is looked at."""
    of = Agent()
    for minute in range(3):
        of.reconcile(later(minutes=minute), signals=MOVING[what](NOW + 60 * minute, 0))
    assert not of.reconcile(later(minutes=4), signals=MOVING[what](NOW + 240, 20))
    assert not of.reconcile(later(minutes=10), signals=MOVING[what](NOW + 600, 31))


def test_a_young_forecast_says_until_when_it_cannot_be_judged_and_makes_no_event() -> None:
    of = settled(forecast(None, None, unjudged=16))
    told = of.status["scaling"]["forecast"]
    assert told == {"horizonSeconds": 75.0, "message": "it needs more loads to be judged, until about 12:04 UTC"}
    assert not of.reconcile(later(seconds=15), forecast=forecast(None, None, unjudged=15, at_seconds=NOW + 15))
    assert [event for event in of.events if event[0]] == []


def test_a_forecast_counts_what_it_was_held_against() -> None:
    fleet: FleetForecast[str] = FleetForecast(15.0, horizons=1)
    fleet.add("a")
    judged = []
    for tick in range(30):
        told = fleet.step(15.0 * tick, {"a": 4.0}, np.array([1]))
        found = forecast_of(told, 0, 15.0 * tick, 15.0)
        judged.append((found.unjudged, found.coverage, found.pinball))
    assert judged[0] == (20, None, None)
    assert [unjudged for unjudged, _, _ in judged] == sorted((unjudged for unjudged, _, _ in judged), reverse=True)
    left, coverage, pinball = judged[-1]
    assert left == 0
    assert coverage is not None
    assert 0 <= coverage <= 1
    assert pinball is not None
    assert math.isfinite(pinball)
    assert all((coverage is None) == (left > 0) for left, coverage, _ in judged)


def test_a_window_below_the_minimum_is_a_warning_and_the_minimum_wins() -> None:
    window = {"name": "night", "start": "0 22 * * *", "duration": "8h", "replicas": 1}
    of = Agent(minReplicas=3)
    of.reconcile(NOON)
    of.reconcile(later(hours=11), scaling={"schedule": [window]})
    active = next(each for each in of.status["conditions"] if each["type"] == "ScalingActive")
    assert (active["status"], active["reason"]) == ("True", reasons.SCHEDULE_BELOW_MINIMUM)
    assert "spec.scaling.schedule[night].replicas 1 does not lower spec.minReplicas 3" in active["message"]
    assert of.status["desiredReplicas"] == 3
    assert (True, reasons.SCHEDULE_BELOW_MINIMUM) in of.events


def test_until_when_stabilization_holds_is_told() -> None:
    of = Agent()
    of.reconcile(NOON, load=60)
    of.reconcile(later(seconds=10), load=10)
    assert "are held until 12:01 UTC by stabilization" in message(of, "stabilization")


def test_the_window_that_is_open_is_told_also_if_the_one_before_asked_for_as_many() -> None:
    lunch = {"name": "lunch", "start": "0 11 * * *", "duration": "2h", "replicas": 4}
    coffee = {"name": "coffee", "start": "0 13 * * *", "duration": "1h", "replicas": 4}
    of = Agent(scaling={"schedule": [lunch, coffee]})
    of.reconcile(NOON)
    of.reconcile(later(minutes=1))
    assert message(of, "schedule") == "window lunch asks for 4 pods, at least until 13:00 UTC"
    of.reconcile(later(minutes=61))
    assert message(of, "schedule") == "window coffee asks for 4 pods, at least until 14:00 UTC"


def message(of: Agent, name: str) -> str:
    found: str = next(term for term in of.status["scaling"]["terms"] if term["name"] == name)["message"]
    return found
