"""What is asked, and what counts of the answers."""

import asyncio

import pytest

from prewarm_operator.control.prometheus_poll import PrometheusPoll
from prewarm_operator.signals.fleet import Fleet, invalid
from prewarm_operator.signals.reading import Cause, Fault, Reading, Validity
from prewarm_operator.world.cache import Key

SUPPORT, SALES = Key("team", "support"), Key("team", "sales")
NOW = 100.0


class FakeClient:
    """Our own interface, with answers that a test sets."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = Fleet(NOW)
        self.own: dict[str, Reading] = {}
        self.own_arrived = asyncio.Event()
        self.own_arrived.set()

    async def fleet(self) -> Fleet:
        self.asked.append("fleet")
        return self.answer

    async def own_query(self, query: str) -> Reading:
        self.asked.append(query)
        await self.own_arrived.wait()
        return self.own[query]


class Case:
    def __init__(self) -> None:
        self.news: list[Key] = []
        self.client = FakeClient()
        self.poll = PrometheusPoll(self.news.append, configured=True, clock=lambda: NOW)

    async def ask(self) -> None:
        await self.poll.ask(self.client)  # type: ignore[arg-type]


def down(problem: str = "cannot be asked") -> Fleet:
    return Fleet(NOW, problem=problem, cause=Cause.UNAVAILABLE)


async def test_all_agents_are_one_question_and_each_own_query_another() -> None:
    case = Case()
    case.client.own["x"] = Reading(7, NOW, "own")
    await case.ask()
    assert case.client.asked == []  # nobody wants to know
    for number in range(100):
        case.poll.follow(Key("team", str(number)), None)
    case.poll.follow(SALES, "x")
    await case.ask()
    assert sorted(case.client.asked) == ["fleet", "x"]
    assert len(set(case.news)) == 101
    assert case.poll.reading(SALES, 1, 10) == Reading(7, NOW, "own")


async def test_a_hanging_own_query_keeps_nobodys_answer_back() -> None:
    case = Case()
    case.client.own_arrived.clear()
    case.poll.follow(SUPPORT, None)
    case.poll.follow(SALES, "x")
    asking = asyncio.create_task(case.ask())
    await asyncio.sleep(0.01)
    reading = case.poll.reading(SUPPORT, 1, 10)
    assert reading is not None
    assert reading.problem == "has no samples of this agent"
    asking.cancel()


async def test_nothing_is_known_before_the_first_answer_and_nothing_is_wrong() -> None:
    case = Case()
    case.poll.follow(SUPPORT, None)
    case.poll.follow(SALES, "x")
    for agent in (SUPPORT, SALES):
        reading = case.poll.reading(agent, 1, 10)
        assert reading is not None
        assert (reading.validity, reading.problem) == (Validity.INVALID, "has not been asked yet")
        assert case.poll.fault(agent) is None


async def test_an_outage_is_told_when_it_lasts_two_ticks_and_ends_with_an_answer() -> None:
    case = Case()
    case.poll.follow(SUPPORT, None)
    case.client.answer = down()
    await case.ask()
    assert case.poll.fault(SUPPORT) is None
    await case.ask()
    assert case.poll.fault(SUPPORT) == Fault(Cause.UNAVAILABLE, "Prometheus cannot be asked")
    case.client.answer = Fleet(NOW)
    await case.ask()
    assert case.poll.fault(SUPPORT) is None


async def test_a_broken_query_is_told_at_once_and_of_its_own_agent_alone() -> None:
    case = Case()
    case.poll.follow(SUPPORT, None)
    case.poll.follow(SALES, "x")
    case.client.own["x"] = invalid("answers 400: parse error", Cause.QUERY, NOW)
    await case.ask()
    assert case.poll.fault(SALES) == Fault(Cause.QUERY, "the own query to Prometheus answers 400: parse error")
    assert case.poll.fault(SUPPORT) is None


async def test_an_answer_to_a_query_that_was_replaced_meanwhile_does_not_count() -> None:
    case = Case()
    case.client.own["x"] = Reading(7, NOW, "own")
    case.poll.follow(SALES, "x")
    case.client.own_arrived.clear()
    asking = asyncio.create_task(case.ask())
    await asyncio.sleep(0.01)
    case.poll.follow(SALES, "y")
    case.client.own_arrived.set()
    await asking
    reading = case.poll.reading(SALES, 1, 10)
    assert reading is not None
    assert reading.problem == "has not been asked yet"


async def test_who_is_forgotten_is_not_asked_for() -> None:
    case = Case()
    case.poll.follow(SALES, "x")
    case.poll.forget(SALES)
    await case.ask()
    assert case.client.asked == []


@pytest.mark.parametrize("query", [None, "x"])
def test_without_a_prometheus_only_an_own_query_misses_it(query: str | None) -> None:
    poll = PrometheusPoll(lambda agent: None, configured=False, clock=lambda: NOW)
    poll.follow(SUPPORT, query)
    reading, fault = poll.reading(SUPPORT, 1, 10), poll.fault(SUPPORT)
    if query is None:
        assert (reading, fault) == (None, None)
    else:
        assert reading is not None
        assert fault is not None
        assert fault.message.endswith("the operator has no Prometheus, set prometheus.url of its chart")
