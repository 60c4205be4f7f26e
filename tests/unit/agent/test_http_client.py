"""The HTTP clients under the model clients: what they record, and what they take for no answer."""

import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import httpx2
import pytest

from prewarm_agent.framework.http_client import HTTPSettings, ModelHTTPClient, Rehearsal, rehearsal, retry_after_seconds
from prewarm_agent.framework.upstream import LastCall, Outcome, last_call

URL = "http://model/v1/chat/completions"


class Answering(httpx2.AsyncBaseTransport):
    """Gives one response, or raises, whatever is asked."""

    def __init__(self, answer: httpx2.Response | Exception) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Broken(httpx2.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"data: {}"
        raise httpx2.RemoteProtocolError("gone")


def client(answer: httpx2.Response | Exception, outcomes: list[Outcome]) -> ModelHTTPClient:
    made = ModelHTTPClient(HTTPSettings(ssl.create_default_context(), 10, 5, outcomes.append))
    made._transport = Answering(answer)
    return made


@pytest.fixture
def last() -> LastCall:
    record = LastCall()
    last_call.set(record)
    return record


def response(status: int = 200, *, body: object = None, media_type: str = "application/json", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.Response(status, content=content, headers={"content-type": media_type, **headers})


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (response(), Outcome.OK),
        (response(400), Outcome.REJECTED),
        (response(401), Outcome.ERROR),
        (response(429), Outcome.RATE_LIMITED),
        (response(503), Outcome.ERROR),
        (response(body={"error": {"code": 429}}), Outcome.RATE_LIMITED),
        (httpx2.ConnectError("refused"), Outcome.ERROR),
        (response(body=b"<html>", media_type="text/html"), Outcome.ERROR),
        (response(body=b"busy", media_type="text/plain"), Outcome.ERROR),
    ],
)
async def test_each_call_has_one_outcome(last: LastCall, answer: httpx2.Response | Exception, outcome: Outcome) -> None:
    outcomes: list[Outcome] = []
    async with client(answer, outcomes) as http:
        if isinstance(answer, Exception) or "text" in answer.headers["content-type"]:
            with pytest.raises(httpx2.TransportError):
                await http.post(URL, json={})
        else:
            await http.post(URL, json={})
    assert outcomes == [outcome]
    assert last.failed is (outcome is not Outcome.OK)


@pytest.mark.parametrize("broken", [False, True])
async def test_a_stream_is_judged_at_its_end(last: LastCall, *, broken: bool) -> None:
    outcomes: list[Outcome] = []
    headers = {"content-type": "text/event-stream"}
    stream = Broken() if broken else httpx2.ByteStream(b"data: {}")
    http = client(httpx2.Response(200, headers=headers, stream=stream), outcomes)
    async with http, http.stream("POST", URL, json={}) as streamed:
        assert outcomes == []
        if broken:
            with pytest.raises(httpx2.RemoteProtocolError):
                await streamed.aread()
        else:
            await streamed.aread()
    assert outcomes == [Outcome.ERROR if broken else Outcome.OK]
    assert last.failed is broken


async def test_the_list_of_models_is_no_model_call(last: LastCall) -> None:
    outcomes: list[Outcome] = []
    async with client(response(503), outcomes) as http:
        await http.get("http://model/v1/models")
    assert outcomes == []
    assert not last.failed


async def test_a_call_that_succeeds_makes_the_failed_one_before_it_forgotten(last: LastCall) -> None:
    last.fail(status=500, text="broken")
    async with client(response(), []) as http:
        await http.post(URL, json={})
    assert last == LastCall()


async def test_a_rehearsal_sends_nothing_and_counts_nothing(last: LastCall) -> None:
    outcomes: list[Outcome] = []
    stopped: list[bool] = []
    before = rehearsal.set(Rehearsal(stop=lambda: stopped.append(True)))
    try:
        async with client(httpx2.ConnectError("no network"), outcomes) as http:
            for _ in range(8):
                assert not stopped
                answer = await http.post(URL, json={"stream": False})
                assert answer.json()["choices"][0]["message"]["content"] == "ok"
    finally:
        rehearsal.reset(before)
    assert stopped
    assert outcomes == []


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), ("7", 7), ("0.2", 1), ("-3", 0), ("soon", None), ("inf", None)]
)
def test_retry_after_is_a_whole_number_of_seconds(value: str | None, seconds: int | None) -> None:
    assert retry_after_seconds(response(429, **({"retry-after": value} if value else {}))) == seconds


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after_seconds(response(429, **{"retry-after": date})) in range(85, 92)


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_what_a_server_sets_for_one_user_does_not_go_out_with_the_next_ones_request(library: Any) -> None:
    sent = []

    def answer(request: Any) -> Any:
        sent.append(request.headers.get("cookie"))
        return library.Response(200, headers={"set-cookie": "session=of-one-user; Path=/"})

    options = HTTPSettings(ssl.create_default_context(), 10, 5.0, lambda _: None).options(library)
    transport = library.MockTransport(answer)
    async with library.AsyncClient(**options, transport=transport) as client:
        for _ in range(2):
            await client.get("http://tools/orders")
    assert sent == [None, None]
