"""Places on nodes for pods to come: how many, and why. Named by what goes wrong without the rule."""

from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import agent

from prewarm_operator.decide import reasons
from prewarm_operator.decide.node_headroom import STABILIZATION_SECONDS, Nodes, nodes
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.decide.scaling.pace import Dated
from prewarm_operator.signals.reading import Reading, Upstream, Validity
from prewarm_operator.world.scaling import Forecast, History, Signals

NOW = 10_000.0
EPOCH = 1767225600.0 + 6 * 3600  # 2026-01-01, 06:00 UTC
TICK = 15.0
QUIET = Reading(10.0, NOW, "streams")
SOON = Forecast(NOW, 30.0, 10.0, (10.0, 10.0, 10.0))


def ahead(*later: float, **fields: Any) -> Forecast:
    return replace(SOON, later=later, **fields)


class Case:
    """An agent of 1 to 10 pods, 10 requests each, of which one is wanted now."""

    def __init__(self, *, kept: int = 0, **spec: Any) -> None:
        fields = {"mode": "Auto", "minReplicas": 1, "maxReplicas": 10, "concurrencyLimit": 10, "targetConcurrency": 10}
        self.spec = agent(**(fields | spec)).spec
        self.kept = kept
        self.expected: Dated = ()
        self.now = NOW
        self.history = History(1, recommended=((0.0, 1),))

    def see(
        self,
        forecast: Forecast | None = SOON,
        *,
        reading: Reading = QUIET,
        upstream: Upstream | None = None,
        after_seconds: float = TICK,
    ) -> Nodes:
        self.now += after_seconds
        shift = self.now - NOW
        signals = Signals(
            replace(reading, at_seconds=reading.at_seconds + shift),
            None if upstream is None else replace(upstream, at_seconds=self.now),
            None if forecast is None else replace(forecast, at_seconds=forecast.at_seconds + shift),
        )
        deployment = {"spec": {"replicas": self.history.replicas}}
        verdict, self.history = verdict_for(self.spec, deployment, signals, self.history, self.now, EPOCH + shift)
        found = nodes(self.spec, verdict, signals, self.expected, self.kept, self.now, EPOCH + shift)
        self.expected, self.kept = found.expected, found.places
        return found


def test_nodes_come_too_late_unless_places_are_kept_for_the_pods_of_the_last_horizon() -> None:
    found = Case().see(ahead(10.0, 30.0, 60.0))
    assert (found.places, found.term.reason) == (5, reasons.NODE_HEADROOM)
    assert found.term.message == (
        "up to 6 pods are expected while a node starts, 1 are wanted now: 5 places on nodes are kept free"
    )


def test_a_peak_before_the_last_horizon_needs_places_as_well() -> None:
    assert Case().see(ahead(70.0, 20.0, 10.0)).places == 6


def test_a_pod_that_is_wanted_and_waits_for_a_node_is_not_paid_for_twice() -> None:
    """It asks for its node by itself, so what is wanted counts, not what runs."""
    case = Case()
    case.see(ahead(10.0, 30.0, 60.0))
    assert case.see(ahead(10.0, 30.0, 60.0, upper=40.0)).places == 2


def test_places_beyond_max_replicas_would_never_be_taken() -> None:
    assert Case().see(ahead(500.0)).places == 9
    assert Case(maxReplicas=3).see(ahead(500.0)).places == 2


def test_the_users_headroom_needs_places_too_as_it_moves_with_the_load() -> None:
    found = Case(scaling={"headroom": 2}).see(ahead(10.0, 10.0, 40.0))
    assert found.places == 4 + 2 - (1 + 2)


@pytest.mark.parametrize(
    "forecast",
    [None, ahead(90.0, valid=False), ahead(float("nan")), ahead(90.0, poor=True, coverage=0.5)],
    ids=["none", "invalid", "not a number", "poor"],
)
def test_a_forecast_that_does_not_count_neither_adds_nor_takes_places(forecast: Forecast | None) -> None:
    case = Case()
    case.see(ahead(10.0, 10.0, 40.0))
    for _ in range(100):
        found = case.see(forecast)
        assert found.places == 3
    assert found.term.reason in (reasons.NO_FORECAST, reasons.FORECAST_POOR)
    assert found.term.message.endswith(": 3 places on nodes stay free")


def test_a_restarted_operator_without_a_forecast_keeps_the_places_that_there_are() -> None:
    case = Case(kept=4)
    assert [case.see(None).places for _ in range(3)] == [4, 4, 4]


def test_places_that_were_taken_while_blind_are_not_kept_once_more() -> None:
    case = Case()
    case.see(ahead(10.0, 10.0, 40.0))
    assert case.see(None, reading=replace(QUIET, value=30.0)).places == 1
    assert case.see(None, reading=replace(QUIET, value=95.0)).places == 0


def test_without_history_the_places_kept_never_reach_beyond_max_replicas() -> None:
    assert Case(kept=50).see(None).places == 9


def test_a_forecast_that_flaps_every_tick_changes_nothing_after_the_first_rise() -> None:
    case = Case()
    case.see(ahead(40.0))
    assert {case.see(ahead(load)).places for load in (10.0, 40.0) * 50} == {3}


def test_places_go_only_after_they_were_not_needed_for_as_long_as_a_node_takes() -> None:
    case = Case()
    case.see(ahead(40.0))
    assert case.see(SOON, after_seconds=STABILIZATION_SECONDS - 1).places == 3
    assert case.see(SOON, after_seconds=2).places == 0


def test_load_that_is_known_in_part_takes_no_place_away() -> None:
    case = Case()
    case.see(ahead(40.0))
    partial = replace(QUIET, validity=Validity.PARTIAL, problem="misses pods")
    assert {case.see(SOON, reading=partial).places for _ in range(100)} == {3}


def test_a_sick_model_api_buys_no_nodes() -> None:
    case = Case()
    for _ in range(10):
        found = case.see(ahead(90.0, valid=False), upstream=Upstream(0.9, NOW))
    found = case.see(ahead(90.0), upstream=Upstream(0.9, NOW))
    assert (found.places, found.term.reason) == (0, reasons.UPSTREAM_LIMITED)


def test_a_window_that_opens_before_a_node_could_start_has_its_places() -> None:
    window = {"name": "day", "start": "4 6 * * *", "duration": "8h", "replicas": 7}
    assert Case(scaling={"schedule": [window]}).see().places == 6
    assert Case(scaling={"schedule": [window], "headroom": 2}).see().places == 7 + 2 - (1 + 2)
    late = window | {"start": "30 6 * * *"}
    assert Case(scaling={"schedule": [late]}).see().places == 0


def test_a_window_counts_without_a_forecast() -> None:
    window = {"name": "day", "start": "4 6 * * *", "duration": "8h", "replicas": 7}
    assert Case(scaling={"schedule": [window]}).see(None).places == 6


def test_a_paused_agent_gets_no_pods_and_so_no_places() -> None:
    assert Case(scaling={"paused": True}).see(ahead(90.0)).places == 0
