from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import agent_body

from prewarm_operator.control import scaler as module
from prewarm_operator.control.scaler import Scaler
from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, DEPLOYMENTS, PODS
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.pod_load import Heard, PodLoad
from prewarm_operator.signals.server import Server
from prewarm_operator.world.cache import Cache, Key
from prewarm_operator.world.places import OFF, HeadroomMode, NodeHeadroom
from prewarm_operator.world.scaling import History
from prewarm_operator.world.world import World

SUPPORT = Key("team", "support")
EPOCH = 1767225600.0


class FakeStreams:
    """Our own interface: what is followed, and lines as the test says them."""

    def __init__(self, on_change: Callable[[Key], None], clock: Callable[[], float]) -> None:
        self.on_change, self.clock = on_change, clock
        self.followed: dict[Key, Mapping[str, str]] = {}
        self.lines: dict[str, Heard] = {}

    def follow(self, agent: Key, pods: Mapping[str, str]) -> None:
        self.followed[agent] = pods

    def forget(self, agent: Key) -> None:
        self.followed.pop(agent, None)

    def heard(self, agent: Key) -> Mapping[str, Heard]:
        return self.lines

    def say(self, in_flight: int, *, share: float = 0.0) -> None:
        self.lines["u1"] = Heard(PodLoad(in_flight, 0, 0, share), self.clock())
        self.on_change(SUPPORT)


class Case:
    """One agent with one Ready pod, a clock that the test sets, and a list of what was marked."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        prometheus: Server | None = None,
        headroom: NodeHeadroom = OFF,
        **spec: Any,
    ) -> None:
        self.now = 1000.0
        self.marked: list[Key] = []
        self.delays: list[float] = []
        monkeypatch.setattr(module, "Streams", FakeStreams)
        clocks = (lambda: self.now, lambda: EPOCH + self.now)
        self.world = World(Cache(), "example.com/agent:1", *clocks, headroom)
        self.scaler = Scaler(self.world, self._mark, *clocks, prometheus=prometheus)
        self.streams: FakeStreams = self.scaler._streams  # type: ignore[assignment]
        fields = {"mode": "Auto", "minReplicas": 1, "maxReplicas": 9, "concurrencyLimit": 50, "targetConcurrency": 10}
        self.body = agent_body(**(fields | spec))
        self.world.cache.put(AGENT_DEPLOYMENTS, self.body)
        metadata = {"namespace": "team", "name": "support-1", "uid": "u1", "resourceVersion": "1"}
        metadata["labels"] = {"prewarm.dev/agent": "support"}  # type: ignore[assignment]
        status = {"podIP": "10.0.0.7", "conditions": [{"type": "Ready", "status": "True"}]}
        self.world.cache.put(PODS, {"kind": "Pod", "metadata": metadata, "status": status})
        self.scaler.look(SUPPORT)

    def _mark(self, agent: Key, delay_seconds: float) -> None:
        self.marked.append(agent)
        self.delays.append(delay_seconds)

    def tick(self) -> None:
        self.now += 15.0
        self.scaler.tick(self.now, EPOCH + self.now)


def test_the_pods_of_an_agent_in_mode_auto_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Case(monkeypatch).streams.followed == {SUPPORT: {"u1": "http://10.0.0.7:8081"}}


def test_an_agent_in_mode_external_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, mode="External")
    case.tick()
    assert (case.streams.followed, case.marked, case.world.scaling.signals) == ({}, [], {})


def test_a_mode_that_changes_is_followed_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.streams.say(5)
    external = {**case.body, "metadata": {**case.body["metadata"], "generation": 4, "resourceVersion": "11"}}
    external["spec"] = {**case.body["spec"], "mode": "External"}
    case.world.cache.put(AGENT_DEPLOYMENTS, external)
    case.scaler.look(SUPPORT)
    assert (case.streams.followed, case.world.scaling.signals) == ({}, {})


def test_an_agent_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.world.cache.remove(AGENT_DEPLOYMENTS, case.body)
    case.scaler.look(SUPPORT)
    case.tick()
    assert (case.streams.followed, case.world.scaling.signals) == ({}, {})


def test_an_agent_is_marked_for_another_number_and_not_for_another_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.streams.say(5)
    case.marked.clear()
    case.streams.say(6)
    assert case.marked == []
    case.streams.say(25)
    case.streams.say(26)
    assert case.marked == [SUPPORT]


def test_another_number_is_marked_at_once_and_what_only_the_status_tells_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(monkeypatch)
    case.streams.say(0)
    case.delays.clear()
    case.streams.say(1)  # one pod is needed now, where before the minimum kept it
    case.streams.say(11)
    case.streams.say(12)
    case.streams.say(21)
    assert case.delays == [module.NEWS_SECONDS, 0.0, 0.0]


def test_what_was_needed_counts_for_the_stabilization_though_nothing_was_to_be_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(monkeypatch)
    case.world.scaling.histories[SUPPORT] = History(replicas=5, recommended=((case.now, 5),))
    for load in (10, 30, 10):
        case.now += 1.0
        case.streams.say(load)
    assert [count for _, count in case.world.scaling.histories[SUPPORT].recommended] == [5, 3, 1]


def test_an_agent_about_which_nothing_was_decided_has_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.streams.say(30)
    assert case.world.scaling.histories == {}


def test_a_model_api_that_begins_to_fail_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.streams.say(5)
    case.marked.clear()
    case.streams.say(5, share=0.9)
    assert case.marked == [SUPPORT]  # else nobody would count the half minute


def test_a_tick_forecasts_for_when_a_new_pod_would_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    for _ in range(4):
        case.streams.say(40)
        case.tick()
    forecast = case.world.scaling.signals[SUPPORT].forecast
    assert forecast is not None
    assert forecast.valid
    assert forecast.horizon_seconds == 75.0  # a minute, as long as no start was measured, and a tick
    assert 30 < forecast.upper < 200
    assert len(forecast.later) == 3


def test_the_target_cold_share_moves_the_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    def upper(percent: float) -> float:
        case = Case(monkeypatch, scaling={"targetColdPercent": percent})
        for number in range(200):
            case.streams.say(20 + number * 7 % 30)
            case.tick()
        forecast = case.world.scaling.signals[SUPPORT].forecast
        assert forecast is not None
        return forecast.upper

    assert upper(0.1) > upper(30)


def test_a_pod_that_falls_silent_is_news_at_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.streams.say(5)
    case.marked.clear()
    case.tick()
    case.tick()
    case.tick()
    assert case.marked[-1] == SUPPORT
    signals = case.world.scaling.signals[SUPPORT]
    verdict, _ = verdict_for(parse(case.body).spec, None, signals, History(replicas=4), case.now, EPOCH)
    assert (verdict.replicas, verdict.decided_by.reason) == (4, reasons.LOAD_UNKNOWN)


def test_a_leaders_first_decision_begins_with_the_pods_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.world.scaling.histories[SUPPORT] = History(replicas=2)
    case.world.scaling.begin_anew()
    child = {"metadata": {"namespace": "team", "name": "support", "uid": "d", "resourceVersion": "5"}}
    case.world.cache.put(DEPLOYMENTS, {**child, "spec": {"replicas": 6}})
    verdict, _ = verdict_for(
        parse(case.body).spec,
        case.world.cache.get(DEPLOYMENTS, SUPPORT),
        case.world.scaling.signals[SUPPORT],
        case.world.scaling.histories.get(SUPPORT, History()),
        case.now,
        EPOCH,
    )
    assert verdict.replicas == 6


def test_places_on_nodes_that_change_with_the_forecast_alone_are_news(monkeypatch: pytest.MonkeyPatch) -> None:
    def marks(mode: HeadroomMode) -> int:
        case = Case(monkeypatch, headroom=NodeHeadroom(mode))
        case.streams.say(45)
        case.tick()
        case.tick()
        known = case.world.scaling.signals[SUPPORT]
        assert known.forecast is not None
        case.marked.clear()
        for load in (45.0, 200.0):
            forecast = replace(known.forecast, upper=45.0, later=(load,), at_seconds=case.now)
            case.world.scaling.signals[SUPPORT] = replace(known, forecast=forecast)
            case.streams.say(45)
        return len(case.marked)

    assert marks(HeadroomMode.PLACEHOLDER) == marks(HeadroomMode.OFF) + 1


def test_places_that_were_needed_all_the_time_go_long_after_the_need_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes nothing is reconciled, and yet the need goes on."""
    case = Case(monkeypatch, headroom=NodeHeadroom(HeadroomMode.PLACEHOLDER))
    case.streams.say(45)
    case.tick()
    case.tick()
    known = case.world.scaling.signals[SUPPORT]
    assert known.forecast is not None

    def foresee(load: float) -> None:
        forecast = replace(known.forecast, upper=45.0, later=(load,), at_seconds=case.now)  # type: ignore[type-var]
        case.world.scaling.signals[SUPPORT] = replace(known, forecast=forecast)
        case.streams.say(45)

    foresee(200.0)
    case.world.scaling.histories[SUPPORT] = decide(case.world.snapshot(SUPPORT, case.body)).scale.history
    for _ in range(19):  # 285 s
        case.now += 15.0
        foresee(200.0)
    case.marked.clear()
    for _ in range(19):
        case.now += 15.0
        foresee(45.0)
    assert case.marked == []
    case.now += 30.0
    foresee(45.0)
    assert case.marked == [SUPPORT]


def test_what_each_pod_works_on_is_known_as_long_as_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.streams.say(7)
    assert case.world.snapshot(SUPPORT, case.body).in_flight == {"u1": 7}
    case.now += 36.0
    assert case.world.snapshot(SUPPORT, case.body).in_flight == {}
