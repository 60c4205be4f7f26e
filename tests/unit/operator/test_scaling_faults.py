"""Faults that must do no harm, tick by tick through the scaler.

Never below the minimum, never above the maximum, no pod is taken away while nobody knows the load, and the cause in the
condition and in a metric.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from unit.operator.scaling_inputs import policy, settled
from unit.operator.test_scaler import EPOCH, SUPPORT, Case
from unit.operator.test_scaler_prometheus import SERVER, Client, active

from prewarm_operator import metrics
from prewarm_operator.decide import reasons
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.decide.scaling.decision import decide_scaling
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.model import Inputs, Pods, Rate, Verdict
from prewarm_operator.forecast import FleetForecast
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.fleet import Fleet
from prewarm_operator.signals.reading import Cause, Reading
from prewarm_operator.world.scaling import History, forecast_of

LOW, HIGH = 2, 9
HOUR = 240


class Operator(Case):
    """One agent whose number is set as the reconcile sets it. The wall clock may jump, the monotonic one does not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **spec: Any) -> None:
        self.jumped = 0.0
        super().__init__(monkeypatch, SERVER, minReplicas=LOW, maxReplicas=HIGH, **spec)
        self.history = History()
        self.verdict: Verdict | None = None

    def tick(self) -> None:
        self.now += TICK_SECONDS
        epoch = EPOCH + self.now + self.jumped
        self.scaler.tick(self.now, epoch)
        signals, spec = self.world.scaling.signals[SUPPORT], parse(self.body).spec
        self.verdict, self.history = verdict_for(spec, None, signals, self.history, self.now, epoch)
        self.world.scaling.histories[SUPPORT] = self.history
        assert LOW <= self.verdict.replicas <= HIGH

    @property
    def replicas(self) -> int:
        assert self.verdict is not None
        return self.verdict.replicas

    @property
    def condition(self) -> tuple[str, str]:
        assert self.verdict is not None
        told = active(self.verdict)
        return told.status, told.reason

    def loads(self, *loads: int) -> list[int]:
        """The numbers after these loads, one each tick."""
        numbers = []
        for load in loads:
            self.streams.say(load)
            self.tick()
            numbers.append(self.replicas)
        return numbers

    async def prometheus(self, fleet: Fleet) -> None:
        client: Any = Client(fleet, None)
        await self.scaler._poll.ask(client)

    def of_prometheus(self, load: float) -> Fleet:
        at = EPOCH + self.now
        parts = {"in_flight": load, "queued": 0.0, "least": load, "pods": 1.0, "oldest": at - 5, "newest": at - 5}
        return Fleet(self.now, at, {SUPPORT: parts})


def changes(numbers: list[int]) -> int:
    return sum(one != other for one, other in pairwise(numbers))


def hindered(reason: str) -> float:
    return metrics.HINDERED.labels(reason)._value.get()


async def test_prometheus_down_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """No stream is heard: Prometheus is all there is."""
    operator = Operator(monkeypatch)
    for _ in range(40):
        await operator.prometheus(operator.of_prometheus(49.0))
        operator.tick()
    peak = operator.replicas
    assert operator.condition == ("True", reasons.PREWARM_SCALES)
    seen, conditions = set(), set()
    for tick in range(HOUR):
        await operator.prometheus(Fleet(operator.now, problem="cannot be asked", cause=Cause.UNAVAILABLE))
        operator.tick()
        seen.add(operator.replicas)
        if tick >= 4:
            conditions.add(operator.condition)
    assert min(seen) == peak
    assert conditions == {("False", reasons.LOAD_UNKNOWN)}
    assert hindered(reasons.LOAD_UNKNOWN) == 1
    for _ in range(HOUR):
        await operator.prometheus(operator.of_prometheus(3.0))
        operator.tick()
    assert (operator.replicas, operator.condition[0]) == (LOW, "True")
    assert hindered(reasons.LOAD_UNKNOWN) == 0


@pytest.mark.parametrize("jump_seconds", [3600.0, -3600.0])
async def test_the_clock_jumps_by_an_hour(monkeypatch: pytest.MonkeyPatch, jump_seconds: float) -> None:
    operator = Operator(monkeypatch)
    before = operator.loads(*[45] * 60)[-1]
    operator.jumped = jump_seconds
    # Its answers are of the true time: none of now, by our clock.
    await operator.prometheus(Fleet(operator.now, problem="answers for a time", cause=Cause.UNUSABLE))
    await operator.prometheus(Fleet(operator.now, problem="answers for a time", cause=Cause.UNUSABLE))
    after = operator.loads(*[45] * 60)
    assert min(after) == before
    assert max(after) <= before + 1
    assert operator.condition == ("True", reasons.PROMETHEUS_UNUSABLE)
    operator.jumped = 0.0  # and back
    assert min(operator.loads(*[45] * 60)) == before


def test_a_fifty_fold_spike_of_one_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of 1000, so that the spike is not capped before the forecast sees it."""
    operator, reference = (Operator(monkeypatch, concurrencyLimit=1000, targetConcurrency=100) for _ in range(2))
    for run in (operator, reference):
        run.loads(*[18, 22, 20, 19, 21] * 24)
    operator.loads(1000)
    reference.loads(20)
    uppers = []
    for run in (operator, reference):
        run.loads(*[18, 22, 20, 19, 21, 20, 19, 21])  # two minutes
        forecast = run.world.scaling.signals[SUPPORT].forecast
        assert forecast is not None
        uppers.append(forecast.upper)
    assert uppers[0] < 1.15 * uppers[1]
    assert set(operator.loads(*[20] * HOUR)[-10:]) == {LOW}


def test_a_load_that_flaps_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    operator.loads(*[45, 0] * 60)
    assert changes(operator.loads(*[45, 0] * 60)) <= 1  # what the first minutes taught is forgotten


def test_a_signal_that_flaps_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """kedacore/keda 4249: for ten minutes nobody hears the pod in every second tick."""
    operator = Operator(monkeypatch)
    operator.loads(*[45] * 40)
    seen = set()
    for tick in range(40):
        if tick % 2:
            operator.streams.lines.clear()
            operator.tick()
        else:
            operator.loads(45)
        seen.add(operator.replicas)
    assert len(seen) == 1


def test_a_new_agent_without_any_metric_gets_its_minimum_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    for _ in range(12):  # three minutes
        operator.tick()
    assert (operator.replicas, operator.condition) == (LOW, ("False", reasons.LOAD_UNKNOWN))


def test_a_model_api_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    before = operator.loads(*[15] * 20)[-1]
    for _ in range(20):
        operator.streams.say(50, share=0.9)
        operator.tick()
    assert operator.condition == ("False", reasons.UPSTREAM_LIMITED)
    assert operator.replicas <= before + 1  # what came within the half minute
    assert hindered(reasons.UPSTREAM_LIMITED) == 1


def test_a_forecast_that_is_poor_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    operator.loads(*[15] * 20)
    known = operator.world.scaling.signals[SUPPORT]
    assert known.forecast is not None
    monkeypatch.setattr(operator.scaler.forecaster, "step", lambda *_: None)
    operator.world.scaling.signals[SUPPORT] = replace(
        known, forecast=replace(known.forecast, poor=True, coverage=0.5, upper=1e9, at_seconds=operator.now + 15)
    )
    operator.tick()
    assert hindered(reasons.FORECAST_POOR) == 1


@pytest.mark.parametrize("offered", [14.0, 37.0, 64.0, 89.0])
def test_scale_up_and_scale_down_do_not_feed_each_other(offered: float) -> None:
    """What pods cannot take is refused and asked for again: fewer pods make more load, and more pods less."""
    of = policy(low=1, high=30, down=Rate(1, 10.0, 60.0))
    fleet: FleetForecast[str] = FleetForecast(TICK_SECONDS, horizons=4)
    fleet.add("a")
    history, total, numbers = settled(3), 3, []
    for tick in range(3 * HOUR):
        now = 20_000.0 + tick * TICK_SECONDS
        taken = min(offered, 10.0 * total)
        load = taken + min(2 * (offered - taken), 20.0 * total)
        forecast = forecast_of(fleet.step(now, {"a": load}, [5, 9, 17, 25]), 0, now, 75.0)
        inputs = Inputs(of, Pods(total), now, Reading(load, now, "pods"), forecast)
        verdict, history = decide_scaling(inputs, history, now)
        total = verdict.replicas
        numbers.append(total)
    assert changes(numbers[HOUR:]) <= 1
    assert offered <= 10.0 * numbers[-1] <= 1.6 * offered + 10
