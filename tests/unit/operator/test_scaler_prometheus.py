"""What Prometheus says, from its answer to the decision and to the condition."""

from typing import Any

import pytest
from unit.operator.builders import snapshot
from unit.operator.test_scaler import EPOCH, SUPPORT, Case

from prewarm_operator.decide import condition, reasons
from prewarm_operator.decide.plan import Plan, Scale
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.decide.scaling.model import Verdict
from prewarm_operator.decide.scaling_active import scaling_active
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.fleet import Fleet, invalid
from prewarm_operator.signals.reading import Cause, Reading
from prewarm_operator.signals.server import Server
from prewarm_operator.world.scaling import History

QUERY = {"scaling": {"prometheus": {"query": "sum(x)"}}}
SERVER = Server("http://prometheus:9090")
SILENT_SECONDS = 40.0


class Client:
    """Our own interface to Prometheus, with one answer to everything."""

    def __init__(self, fleet: Fleet, own: Reading | None) -> None:
        self._fleet, self._own = fleet, own

    async def fleet(self) -> Fleet:
        return self._fleet

    async def own_query(self, query: str) -> Reading | None:
        return self._own


class Asked(Case):
    """An agent that a Prometheus is asked about."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **spec: Any) -> None:
        super().__init__(monkeypatch, SERVER, **spec)

    def parts(self, load: float, pods: int = 1, age: float = 5.0) -> Fleet:
        at = EPOCH + self.now
        parts = {"in_flight": load, "queued": 0.0, "least": load, "pods": float(pods)}
        return Fleet(self.now, at, {SUPPORT: parts | {"oldest": at - age, "newest": at - age}})

    def down(self, cause: Cause = Cause.UNAVAILABLE) -> Fleet:
        return Fleet(self.now, problem="answers 503: nothing", cause=cause)

    async def answer(self, fleet: Fleet, own: Reading | None = None) -> Verdict:
        client: Any = Client(fleet, own)
        await self.scaler._poll.ask(client)
        signals = self.world.scaling.signals[SUPPORT]
        return verdict_for(parse(self.body).spec, None, signals, History(replicas=4), self.now, EPOCH)[0]


def active(verdict: Verdict) -> condition.Verdict:
    scale = Scale(verdict.own, verdict.decided_by.reason, verdict.decided_by.message, verdict=verdict)
    return scaling_active(snapshot(), Plan(scale, "1", None, (), (), ()))


async def test_prometheus_knows_the_load_while_no_stream_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch)
    verdict = await case.answer(case.parts(62))
    assert (verdict.replicas, verdict.decided_by.reason, verdict.blind) == (7, reasons.LOAD_NOW, False)
    assert verdict.decided_by.message.endswith("(Prometheus)")


async def test_a_pod_is_not_trusted_with_more_by_prometheus_than_by_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch, concurrencyLimit=10)
    await case.answer(case.parts(1000))
    reading = case.world.scaling.signals[SUPPORT].reading
    assert reading is not None
    assert reading.value == 10 + 2 + 20


async def test_a_scrape_lost_from_one_pod_at_peak_takes_no_pod_away(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch)
    verdict = await case.answer(case.parts(5, pods=0))
    assert (verdict.replicas, verdict.decided_by.reason) == (4, reasons.LOAD_PARTLY_KNOWN)
    assert active(verdict).message.startswith("the load is known in part only (Prometheus has samples of 0 of 1 Ready")


async def test_an_outage_harms_no_stream_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch)
    case.streams.say(50)
    await case.answer(case.down())
    verdict = await case.answer(case.down())
    assert (verdict.replicas, verdict.blind) == (5, False)
    told = active(verdict)
    assert (told.status, told.reason) == ("True", reasons.PROMETHEUS_UNAVAILABLE)
    assert told.message == "the load is known without it: Prometheus answers 503: nothing"


async def test_an_outage_of_both_holds_and_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch)
    case.streams.say(50)
    case.now += SILENT_SECONDS
    await case.answer(case.down())
    verdict = await case.answer(case.down())
    told = active(verdict)
    assert (verdict.replicas, told.status, told.reason) == (4, "False", reasons.LOAD_UNKNOWN)
    assert "is silent, and Prometheus answers 503: nothing" in told.message


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (Cause.UNAVAILABLE, reasons.PROMETHEUS_UNAVAILABLE),
        (Cause.SLOW, reasons.PROMETHEUS_SLOW),
        (Cause.REFUSED, reasons.PROMETHEUS_REFUSES),
        (Cause.NO_QUERIES, reasons.PROMETHEUS_WITHOUT_QUERIES),
        (Cause.QUERY, reasons.QUERY_FAILED),
        (Cause.UNUSABLE, reasons.PROMETHEUS_UNUSABLE),
    ],
)
async def test_each_cause_has_its_reason(monkeypatch: pytest.MonkeyPatch, cause: Cause, reason: str) -> None:
    case = Asked(monkeypatch)
    case.streams.say(5)
    await case.answer(case.down(cause))
    assert active(await case.answer(case.down(cause))).reason == reason


async def test_an_own_query_may_know_more_than_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch, **QUERY)
    case.streams.say(5)
    verdict = await case.answer(case.parts(5), Reading(62, case.now, "the own query to Prometheus"))
    assert (verdict.replicas, verdict.decided_by.reason) == (7, reasons.LOAD_NOW)


async def test_an_own_query_that_fails_lowers_nothing_and_is_told_as_prometheus_says_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Asked(monkeypatch, **QUERY)
    case.streams.say(5)
    verdict = await case.answer(case.parts(5), invalid("answers 400: parse error", Cause.QUERY, case.now))
    told = active(verdict)
    assert (verdict.replicas, told.status, told.reason) == (4, "False", reasons.LOAD_PARTLY_KNOWN)
    assert "the own query to Prometheus answers 400: parse error" in told.message
    assert reasons.QUERY_FAILED in {term.reason for term in verdict.terms}
    case.streams.say(50)
    assert (await case.answer(case.parts(5), invalid("x", Cause.QUERY, case.now))).replicas == 5


async def test_an_agent_is_marked_when_prometheus_changes_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Asked(monkeypatch)
    await case.answer(case.parts(5))
    case.marked.clear()
    await case.answer(case.parts(6))
    assert case.marked == []
    await case.answer(case.parts(62))
    assert case.marked == [SUPPORT]
