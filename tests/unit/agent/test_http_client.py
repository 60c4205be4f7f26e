"""The HTTP clients under the model clients: what they record, and what they take for no answer."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import httpx2
import pytest

from prewarm_agent.framework.http_client import (
    HTTPSettings,
    ModelHTTPClient,
    OllamaHTTPClient,
    Rehearsal,
    rehearsal,
    retry_after_seconds,
)
from prewarm_agent.framework.model_call import ModelCall, WatchedStream
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


def streamed(content: bytes, media_type: str) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": media_type}, stream=httpx2.ByteStream(content))


ERROR = b'{"error": {"code": "rate_limit_exceeded", "message": "slow down"}}'


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (ERROR, "application/json"),
        (b'data: {"choices": []}\n\ndata: ' + ERROR + b"\n\n", "text/event-stream"),
        (b'data: {"choices": []}\r\n\r\ndata:' + ERROR, "text/event-stream; charset=utf-8"),
        (b'{"message": {}}\n' + ERROR, "application/x-ndjson"),
    ],
)
async def test_an_error_that_says_200_is_found_in_a_stream(last: LastCall, content: bytes, media_type: str) -> None:
    outcomes: list[Outcome] = []
    async with client(streamed(content, media_type), outcomes) as http:
        async with http.stream("POST", URL, json={}) as response:
            await response.aread()
        assert response.status_code == (429 if media_type == "application/json" else 200)
    assert (outcomes, last.status, last.text) == ([Outcome.RATE_LIMITED], 429, "slow down")


async def test_an_api_that_does_not_stream_when_it_was_asked_to_has_failed(last: LastCall) -> None:
    outcomes: list[Outcome] = []
    async with client(streamed(b'{"choices": []}', "application/json"), outcomes) as http:
        with pytest.raises(httpx2.RemoteProtocolError, match="not with events"):
            async with http.stream("POST", URL, json={}):
                pass
    assert (outcomes, last.status) == ([Outcome.ERROR], 502)


async def test_ollamas_stream_may_be_json(last: LastCall) -> None:
    outcomes: list[Outcome] = []
    answer = httpx.Response(200, json={"message": {"content": "hello"}, "done": True})
    http = OllamaHTTPClient(on_model_call=outcomes.append, transport=httpx.MockTransport(lambda _: answer))
    async with http, http.stream("POST", URL, json={}) as response:
        assert [json.loads(line)["done"] async for line in response.aiter_lines()] == [True]
    assert outcomes == [Outcome.OK]


async def test_an_error_in_pieces_is_found_and_one_without_end_is_not_kept(last: LastCall) -> None:
    stream = WatchedStream(Pieces(b"x" * 300_000 + b"\ndata: " + ERROR + b"\n"), ModelCall(lambda _: None, last))
    async for _ in stream:
        assert len(stream._line) <= 64 * 1024
    assert last.status == 429


class Pieces(httpx2.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), 1000):
            yield self._content[at : at + 1000]


async def test_a_stream_is_asked_for_in_clear(last: LastCall) -> None:
    async with client(streamed(b"", "text/event-stream"), []) as http, http.stream("POST", URL, json={}) as response:
        assert response.request.headers["accept-encoding"] == "identity"


class Hanging(httpx2.AsyncByteStream):
    """Says nothing, or a word and then nothing."""

    def __init__(self, *words: bytes) -> None:
        self._words = words

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for word in self._words:
            yield word
        await asyncio.Event().wait()


class Silent(httpx2.AsyncBaseTransport):
    """Never answers."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError


async def given_up(last: LastCall, *, stream: bool, late: bool, begun_late: bool = False) -> list[Outcome]:
    """The outcomes of a call that is cancelled while it waits."""
    outcomes: list[Outcome] = []
    hanging = httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Hanging(b"data: {}\n\n"))
    async with client(hanging, outcomes) as http:
        if not stream:
            http._transport = Silent()

        async def call() -> None:
            async with http.stream("POST", URL, json={}) as response:
                await response.aread()

        last.late = begun_late
        calling = asyncio.ensure_future(call())
        await asyncio.sleep(0.01)
        last.late = late
        calling.cancel()
        await asyncio.wait({calling})
        assert calling.cancelled()
    return outcomes


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_hangs_until_the_deadline_has_failed(last: LastCall, *, stream: bool) -> None:
    assert await given_up(last, stream=stream, late=True) == [Outcome.ERROR]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_is_given_up_earlier_or_begun_later_has_not(last: LastCall, *, stream: bool) -> None:
    blameless = [Outcome.OK] if stream else []
    assert await given_up(last, stream=stream, late=False) == blameless
    assert await given_up(last, stream=stream, late=True, begun_late=True) == blameless


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
