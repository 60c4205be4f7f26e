"""Answers that a real Prometheus does not give, or not on demand: each is a reading that says what is wrong."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from component.web_server import serving

from prewarm_operator.signals import prometheus as module
from prewarm_operator.signals.prometheus import Prometheus
from prewarm_operator.signals.reading import Cause, Validity
from prewarm_operator.signals.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

AGENT = ("team", "support")
GOOD = {"in_flight": "3", "queued": "2", "refused": "0.5", "pods": "2", "least": "0"}


@asynccontextmanager
async def asking(handler: Handler, path: str = "", **server: Any) -> AsyncIterator[Prometheus]:
    """A client of a server that answers every path by `handler`."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    async with serving(application) as address:
        client = Prometheus(Server(f"http://{address}{path}", **server))
        try:
            yield client
        finally:
            await client.close()


def giving(body: Any, status: int = 200, **headers: str) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=text, status=status, headers=headers)

    return answer


def success(result: Any, kind: str = "vector", **fields: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}} | fields


def number(value: Any, at: Any = None) -> dict[str, Any]:
    return success([{"metric": {}, "value": [time.time() if at is None else at, value]}])


def fleet_answer(at: float | None = None, age: float = 3, **parts: str | None) -> dict[str, Any]:
    """A good answer about one agent, but for these parts; None leaves one out."""
    now = time.time() if at is None else at
    values = GOOD | {"oldest": str(now - age), "newest": str(now - 1)} | parts
    return success(
        [
            {"metric": {"namespace": "team", "agent": "support", "part": part}, "value": [now, value]}
            for part, value in values.items()
            if value is not None
        ]
    )


NO_LOADS = [
    (giving(number("NaN")), "says nan"),
    (giving(number("+Inf")), "says inf"),
    (giving(number("-3")), "says -3"),
    (giving(number("1e308")), "says 1e+308"),
    (giving(number("many")), "says nan"),
    (giving(number(7)), "says nan"),
    (giving(success([])), "gives no series"),
    (giving(number("3", time.time() - 3600)), "answers for a time more than 45 s ago"),
    (giving(number("3", time.time() + 3600)), "answers for a time more than 45 s ahead"),
    (giving(number("3", "now")), "answers in another form than Prometheus does"),
    (giving(success([{"metric": {}, "value": []}])), "answers in another form than Prometheus does"),
    (giving(success({"a": 1})), "answers in another form than Prometheus does"),
    (giving(success([], "matrix")), "gives a matrix where a number is needed"),
    (giving({"status": "success"}), "answers in another form than Prometheus does"),
    (giving({"status": "error", "error": "too many samples"}), "answers no success: too many samples"),
    (giving([1, 2]), "answers no success: [1, 2]"),
    (giving(b"<html><body>Sign in</body></html>"), "answers no JSON: <html><body>Sign in</body></html>"),
    (giving(b""), "answers no JSON: nothing"),
    (giving(b"[" * 100_000), "answers no JSON: [[[["),
    (giving(b"\xff\xfe\x00\x1b[31m" * 100), "answers no JSON: "),
    (giving({"status": "error", "error": "unavailable with Prometheus Agent"}, 400), "answers 400: unavailable with P"),
    (giving(b"no org id", 401), "answers 401: no org id"),
    (giving(b"", 503), "answers 503: nothing"),
    (giving(b"", 302, Location="http://127.0.0.1:9/"), "answers 302: give the address to which it redirects"),
]


@pytest.mark.parametrize(("handler", "problem"), NO_LOADS, ids=[problem for _, problem in NO_LOADS])
async def test_an_answer_that_is_no_load_is_invalid_and_says_why(handler: Handler, problem: str) -> None:
    async with asking(handler) as client:
        reading = await client.own_query("x")
    assert (reading.value, reading.validity) == (0, Validity.INVALID)
    assert reading.problem.startswith(problem)
    assert len(reading.problem) < 300
    assert reading.problem.isprintable()


@pytest.mark.parametrize(("handler", "problem"), NO_LOADS[9:], ids=[problem for _, problem in NO_LOADS[9:]])
async def test_an_answer_that_is_none_is_so_for_the_fleet_and_for_history(handler: Handler, problem: str) -> None:
    async with asking(handler) as client:
        reading = (await client.fleet()).reading(AGENT, 2, 100)
        (history,) = [part async for part in client.fleet_history(0, 60, 15)]
    assert reading.validity is Validity.INVALID
    assert reading.problem.startswith(problem)
    assert history.loads == {}


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (400, {"status": "error", "errorType": "bad_data", "error": "parse error"}, Cause.QUERY),
        (422, {"status": "error", "errorType": "execution", "error": "many-to-many"}, Cause.QUERY),
        (400, {"status": "error", "error": "unavailable with Prometheus Agent"}, Cause.NO_QUERIES),
        (404, b"404 page not found", Cause.NO_QUERIES),
        (401, b"no org id", Cause.REFUSED),
        (400, b"no tenant in the query", Cause.REFUSED),
        (403, b"", Cause.REFUSED),
        (503, {"status": "error", "errorType": "timeout", "error": "query timed out"}, Cause.SLOW),
        (504, b"upstream timed out", Cause.SLOW),
        (502, b"bad gateway", Cause.UNAVAILABLE),
        (200, b"<html>", Cause.UNUSABLE),
    ],
)
async def test_the_cause_is_told_in_one_word(status: int, body: Any, cause: Cause) -> None:
    async with asking(giving(body, status)) as client:
        assert ((await client.fleet()).cause, (await client.own_query("x")).cause) == (cause, cause)


async def test_a_server_that_is_slow_past_its_timeout_is_not_waited_for() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with asking(slow, timeout_seconds=0.2) as client:
        began = time.monotonic()
        reading = await client.own_query("x")
        assert time.monotonic() - began < 1
    assert (reading.problem, reading.cause) == ("gives no answer within 0.2 s", Cause.SLOW)


async def test_a_server_that_trickles_is_not_waited_for() -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    async with asking(trickle, timeout_seconds=0.3) as client:
        assert (await client.own_query("x")).problem == "gives no answer within 0.3 s"


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 2**16)
            sent += 2**16

    async with asking(endless) as client:
        assert (await client.own_query("x")).problem == "answers with more than 1 MiB"
    assert sent < 2**24


async def test_a_query_that_gives_every_series_there_is_is_cut_off_early_and_costs_the_others_nothing() -> None:
    series = [{"metric": {"pod": f"pod-{pod}"}, "value": [0, "1"]} for pod in range(40_000)]
    async with asking(giving(success(series))) as client:
        reading = await client.own_query("everything")
        (history,) = [part async for part in client.own_history(AGENT, "everything", 0, 60, 15)]
    assert (reading.problem, history.problem) == ("answers with more than 1 MiB",) * 2


async def test_questions_about_the_past_that_hang_keep_nobody_from_the_present() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("query_range"):
            await asyncio.sleep(60)
        return web.json_response(fleet_answer())

    async def past(client: Prometheus, number: int) -> None:
        _ = [part async for part in client.own_history(("team", str(number)), "x", 0, 60, 15)]

    async with asking(answer, timeout_seconds=2.0) as client:
        hanging = [asyncio.create_task(past(client, number)) for number in range(40)]
        await asyncio.sleep(0.2)
        assert (await client.fleet()).reading(AGENT, 2, 100).validity is Validity.VALID
        for task in hanging:
            task.cancel()


async def test_a_question_about_the_past_is_not_late_while_it_waits_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HISTORY_TIMEOUT_SECONDS", 0.3)
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query["query"])
        if request.query["query"] == "hangs":
            await asyncio.sleep(60)
        return web.json_response(success([{"metric": {}, "values": [[0, "3"]]}], "matrix"))

    async def past(client: Prometheus, query: str) -> str:
        (history,) = [part async for part in client.own_history(AGENT, query, 0, 60, 15)]
        return history.problem

    async with asking(answer) as client:
        problems = await asyncio.gather(*(past(client, query) for query in ("hangs",) * 7 + ("works",)))
    assert problems == ["gives no answer within 0.3 s"] * 7 + [""]


async def test_an_hour_of_history_is_not_read_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    real = module.read

    def read(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return real(*arguments)

    monkeypatch.setattr(module, "read", read)
    async with asking(giving(success([], "matrix"))) as client:
        _ = [part async for part in client.fleet_history(0, 60, 15)]
    assert threads
    assert threading.main_thread() not in threads


async def test_a_server_that_is_away_is_named_as_such() -> None:
    client = Prometheus(Server("http://127.0.0.1:9"))
    reading = await client.own_query("x")
    fleet = (await client.fleet()).reading(AGENT, 1, 10)
    await client.close()
    assert reading.validity is fleet.validity is Validity.INVALID
    assert reading.cause is fleet.cause is Cause.UNAVAILABLE
    assert reading.problem.startswith("cannot be asked: Cannot connect to host 127.0.0.1:9 [")


async def test_an_address_that_is_none_is_named_as_such() -> None:
    client = Prometheus(Server("prometheus:9090"))
    reading = await client.own_query("x")
    await client.close()
    assert reading.problem.startswith("cannot be asked: ")


@pytest.mark.parametrize(
    ("answer", "value", "validity", "problem"),
    [
        (fleet_answer, 5.5, Validity.VALID, ""),
        (lambda: fleet_answer(refused=None), 5, Validity.VALID, ""),
        (lambda: fleet_answer(pods="1"), 5.5, Validity.PARTIAL, "has samples of 1 of 2 Ready pods"),
        (lambda: fleet_answer(pods=None), 5.5, Validity.PARTIAL, "has samples of 0 of 2 Ready pods"),
        (lambda: fleet_answer(pods="NaN"), 5.5, Validity.PARTIAL, "has samples of nan of 2 Ready pods"),
        (lambda: fleet_answer(age=90), 5.5, Validity.PARTIAL, "has a sample that is more than 45 s old"),
        (lambda: fleet_answer() | {"warnings": ["store 2 is away"]}, 5.5, Validity.PARTIAL, "warns: store 2 is away"),
        (lambda: fleet_answer(in_flight="1e6"), 20, Validity.VALID, ""),
        (lambda: fleet_answer(in_flight=None), 0, Validity.INVALID, "has no samples of this agent's in_flight"),
        (lambda: fleet_answer(newest=None), 0, Validity.INVALID, "has no samples of this agent's newest"),
        (lambda: fleet_answer(queued="NaN"), 0, Validity.INVALID, "says nan"),
        (lambda: fleet_answer(refused="-1"), 0, Validity.INVALID, "says -1"),
        (lambda: fleet_answer(least="-5"), 0, Validity.INVALID, "says -5"),
        (lambda: fleet_answer(newest="9e9"), 0, Validity.INVALID, "has samples of a wrong time, maybe of the future"),
        (lambda: fleet_answer(oldest="NaN"), 0, Validity.INVALID, "has samples of a wrong time, maybe of the future"),
        (lambda: fleet_answer(time.time() - 7200), 0, Validity.INVALID, "answers for a time more than 45 s ago"),
        (lambda: success([]), 0, Validity.INVALID, "has no samples of any agent"),
    ],
)
async def test_what_the_fleets_answer_says_of_an_agent(
    answer: Callable[[], Any], value: float, validity: Validity, problem: str
) -> None:
    async with asking(giving(answer())) as client:
        reading = (await client.fleet()).reading(AGENT, 2, 20)
    assert (reading.value, reading.validity) == (value, validity)
    assert reading.problem.startswith(problem)


async def test_a_reading_is_as_old_as_the_newest_sample_by_the_servers_own_clock() -> None:
    behind = time.time() - 30
    async with asking(giving(fleet_answer(behind, newest=str(behind - 10), age=12))) as client:
        before = time.monotonic()
        reading = (await client.fleet()).reading(AGENT, 2, 20)
    assert reading.validity is Validity.VALID
    assert before - 10 <= reading.at_seconds <= time.monotonic() - 10


async def test_without_a_ready_pod_the_fleets_answer_lowers_nothing() -> None:
    async with asking(giving(fleet_answer(pods=None))) as client:
        reading = (await client.fleet()).reading(AGENT, 0, 20)
    assert (reading.validity, reading.problem) == (Validity.PARTIAL, "has no Ready pod to go by")


async def test_a_warning_makes_an_own_query_partial() -> None:
    async with asking(giving(number("3") | {"warnings": ["store 2 is away"]})) as client:
        reading = await client.own_query("x")
    assert (reading.value, reading.validity, reading.problem) == (3, Validity.PARTIAL, "warns: store 2 is away")


async def test_points_beside_the_grid_and_no_loads_are_gaps() -> None:
    values = [[0, "1"], [15, "-1"], [22, "5"], [30, "NaN"], [45, "4"], [60, "6"], [1e300, "7"]]
    series = {"metric": {"namespace": "team", "agent": "support"}, "values": values}
    async with asking(giving(success([series], "matrix"))) as client:
        (history,) = [part async for part in client.fleet_history(0, 59, 15)]
    assert history.epoch_seconds == (0, 15, 30, 45)
    assert repr(history.loads[AGENT]) == "(1.0, nan, nan, 4.0)"


async def test_an_answer_of_odd_labels_harms_nobody() -> None:
    odd = {"metric": {"namespace": ["x"], "agent": None}, "value": [time.time(), "3"]}
    answer = fleet_answer()
    answer["data"]["result"].insert(0, odd)
    async with asking(giving(answer)) as client:
        assert (await client.fleet()).reading(AGENT, 2, 20).value == 5.5
