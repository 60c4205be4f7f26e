"""The past of agents, from Prometheus' answers to the forecast."""

import asyncio
import math
from collections.abc import AsyncIterator, Collection

import pytest
from unit.operator.builders import agent_body

from prewarm_operator.control import backfill as module
from prewarm_operator.control.backfill import Backfill, Unanswered
from prewarm_operator.control.forecaster import Forecaster
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.prometheus import History
from prewarm_operator.signals.reading import Cause, Reading
from prewarm_operator.world.cache import Cache, Key
from prewarm_operator.world.world import World

SUPPORT, SALES = Key("team", "support"), Key("team", "sales")
NOW = 1_767_225_607.0
TICK = 15.0


class FakeClient:
    """Our own interface: an agent has `fleet[agent]` or `own[query]` at all times, or there is a problem."""

    def __init__(self) -> None:
        self.fleet: dict[Key, float] = {SUPPORT: 40.0, SALES: 3.0}
        self.own: dict[str, float] = {}
        self.cause: Cause | None = None
        self.own_cause: Cause | None = None
        self.spans: list[tuple[float, float]] = []
        self.own_asked = 0

    async def fleet_history(
        self, begin: float, end: float, step: float, agents: Collection[Key]
    ) -> AsyncIterator[History]:
        times = grid(begin, end, step)
        self.spans.append((times[0], times[-1]))
        loads = {agent: (load,) * len(times) for agent, load in self.fleet.items()}
        yield History(times, {} if self.cause else loads, "fails" if self.cause else "", self.cause)

    async def own_history(
        self, agent: Key, query: str, begin: float, end: float, step: float
    ) -> AsyncIterator[History]:
        times = grid(begin, end, step)
        self.own_asked += 1
        if self.own_cause is not None:
            yield History(times, {}, "fails", self.own_cause)
        else:
            yield History(times, {agent: (self.own[query],) * len(times)})


def grid(begin: float, end: float, step: float) -> tuple[float, ...]:
    return tuple(tick * step for tick in range(math.ceil(begin / step), math.floor(end / step) + 1))


class Case:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "BACK_SECONDS", 7200.0)
        self.world = World(Cache(), "example.com/agent:1")
        self.forecaster = Forecaster(self.world)
        self.client = FakeClient()
        self.backfill = Backfill(self.forecaster, lambda: NOW)
        self.ticks = 0

    def follow(self, agent: Key, query: str | None = None) -> None:
        self.forecaster.follow(agent, parse(agent_body(mode="Auto")).spec)
        self.backfill.follow(agent, query)

    async def fill(self) -> None:
        await self.backfill.fill(self.client)  # type: ignore[arg-type]

    def upper(self, agent: Key, load: float = math.nan) -> float:
        """The forecast after one more tick with this load of all agents."""
        self.ticks += 1
        for known in (SUPPORT, SALES):
            if known in self.forecaster._means:
                self.forecaster.hear(known, Reading(load, self.ticks * TICK, "streams"), self.ticks * TICK)
        self.forecaster.step((self.ticks + 1) * TICK, NOW + self.ticks * TICK)
        forecast = self.world.scaling.signals[agent].forecast
        assert forecast is not None
        return forecast.upper


async def test_the_past_is_known_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    case.follow(SALES)
    await case.fill()
    assert 35 < case.upper(SUPPORT) < 80
    assert 2 < case.upper(SALES) < 12


async def test_the_hours_are_aligned_to_the_tick_and_leave_none_out(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    await case.fill()
    begins, ends = zip(*case.client.spans, strict=True)
    assert all(time % TICK == 0 for time in (*begins, *ends))
    assert begins[1:] == tuple(end + TICK for end in ends[:-1])
    assert begins[0] == NOW - 7 - 7200
    assert ends[-1] == NOW - 7  # the tick that is under way is not over


async def test_an_agent_that_comes_later_leaves_the_others_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    for _ in range(20):
        case.upper(SUPPORT, 100.0)
    case.follow(SALES)
    case.backfill.forget(SUPPORT)
    await case.fill()
    assert case.upper(SUPPORT) > 90  # not the 40 of Prometheus
    assert 2 < case.upper(SALES) < 12


async def test_while_prometheus_fails_nothing_is_forgotten_and_the_agents_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    for _ in range(20):
        case.upper(SUPPORT, 100.0)
    case.client.cause = Cause.SLOW
    with pytest.raises(Unanswered, match="fails"):
        await case.fill()
    assert case.upper(SUPPORT) > 90
    case.client.cause = None
    await case.fill()
    assert 35 < case.upper(SUPPORT) < 80


@pytest.mark.parametrize(
    ("cause", "times_asked"), [(Cause.QUERY, 3), (Cause.REFUSED, 3), (Cause.SLOW, 1), (Cause.UNAVAILABLE, 1)]
)
async def test_one_broken_query_costs_its_own_agent_its_past_and_no_other(
    monkeypatch: pytest.MonkeyPatch, cause: Cause, times_asked: int
) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    case.follow(SALES, "x")
    case.client.own_cause = cause
    await case.fill()
    assert case.client.own_asked == times_asked  # one that hangs would hold the others up for every hour
    assert 35 < case.upper(SUPPORT) < 80
    assert case.world.scaling.signals[SALES].forecast.valid is False  # type: ignore[union-attr]


async def test_own_queries_alone_wait_for_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SALES, "x")
    case.client.own_cause = Cause.UNAVAILABLE
    with pytest.raises(Unanswered, match="fails"):
        await case.fill()
    assert case.backfill._waiting == {SALES: "x"}


async def test_who_goes_while_it_waits_leaves_nothing_to_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    case.backfill.forget(SUPPORT)
    await case.fill()
    assert case.client.spans == []
    assert not case.backfill._news.is_set()


async def test_everything_else_goes_on_between_two_ticks_of_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await case.fill()
    task.cancel()
    assert turns > 7200 / TICK


async def test_an_own_query_gives_the_past_too(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.client.own["x"] = 70.0
    case.follow(SALES, "x")
    await case.fill()
    assert 60 < case.upper(SALES) < 130


async def test_an_agent_without_samples_keeps_what_it_has_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    for _ in range(20):
        case.upper(SUPPORT, 100.0)
    case.client.fleet = {SALES: 1.0}
    await case.fill()
    assert case.upper(SUPPORT) > 90


async def test_the_past_is_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch)
    case.follow(SUPPORT)
    await case.fill()
    asked = len(case.client.spans)
    case.follow(SUPPORT)
    assert case.backfill._waiting == {}
    assert asked == 3
    case.follow(SUPPORT, "x")  # another query, another past
    assert case.backfill._waiting == {SUPPORT: "x"}
