"""GET /load?watch=1: what is said, when, and to whom no more."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from prewarm_agent.serve import load as endpoint
from prewarm_agent.serve.asgi import Message
from prewarm_agent.serve.load import LoadEndpoint
from prewarm_agent.startup.state import Lifecycle


class Reader:
    """One client of the endpoint."""

    def __init__(self, server: LoadEndpoint, query: bytes = b"watch=1", method: str = "GET") -> None:
        self.status = 0
        self.lines: list[dict[str, Any]] = []
        self.ended = False
        self._gone = asyncio.Event()
        self._first = True
        scope = {"method": method, "query_string": query}
        self.task = asyncio.ensure_future(server.answer(scope, self._receive, self._send))

    def leave(self) -> None:
        self._gone.set()

    async def _receive(self) -> Message:
        if self._first:
            self._first = False
            return {"type": "http.request", "body": b""}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["body"]:
            self.lines.append(json.loads(message["body"]))
            self.ended = not message.get("more_body", False)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)


@pytest.fixture
def lifecycle() -> Lifecycle:
    return Lifecycle()


@asynccontextmanager
async def watching(server: LoadEndpoint) -> AsyncIterator[Reader]:
    """A reader that has its first line."""
    reader = Reader(server)
    await reader.until(lambda: bool(reader.lines))
    yield reader
    reader.leave()
    await reader.task


async def test_who_does_not_watch_gets_the_present_load(lifecycle: Lifecycle) -> None:
    for query in (b"", b"watch=0", b"unwatch=1"):
        reader = Reader(LoadEndpoint(lifecycle), query)
        await reader.task
        assert (reader.status, reader.lines[0]["state"], reader.ended) == (200, "starting", True)


async def test_who_watches_hears_of_a_change_of_numbers_and_of_state(lifecycle: Lifecycle) -> None:
    async with watching(LoadEndpoint(lifecycle)) as reader:
        lifecycle.load.in_flight = 3
        lifecycle.load.changed()
        await reader.until(lambda: len(reader.lines) == 2)
        lifecycle.generic()
        await reader.until(lambda: len(reader.lines) == 3)
        lifecycle.warmed()
        await reader.until(lambda: len(reader.lines) == 4)
        assert [(line["in_flight"], line["state"]) for line in reader.lines] == [
            (0, "starting"),
            (3, "starting"),
            (3, "generic"),
            (3, "warm"),
        ]


async def test_changes_that_follow_at_once_are_one_line(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "COALESCE_SECONDS", 0.5)
    async with watching(LoadEndpoint(lifecycle)) as reader:
        for number in range(1, 11):
            lifecycle.load.in_flight = number
            lifecycle.load.changed()
            await asyncio.sleep(0.001)
        await reader.until(lambda: len(reader.lines) == 2)
        assert reader.lines[1]["in_flight"] == 10


async def test_a_change_that_was_taken_back_is_no_line(lifecycle: Lifecycle) -> None:
    async with watching(LoadEndpoint(lifecycle)) as reader:
        for number in (1, 0):
            lifecycle.load.in_flight = number
            lifecycle.load.changed()
        await asyncio.sleep(0.05)
        lifecycle.load.in_flight = 7
        lifecycle.load.changed()
        await reader.until(lambda: len(reader.lines) > 1)
        assert [line["in_flight"] for line in reader.lines] == [0, 7]


async def test_silence_is_broken_by_the_same_line(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "HEARTBEAT_SECONDS", 0.01)
    async with watching(LoadEndpoint(lifecycle)) as reader:
        await reader.until(lambda: len(reader.lines) == 3)
        assert reader.lines[0] == reader.lines[1] == reader.lines[2]


async def test_numbers_that_fade_are_told_though_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    lifecycle = Lifecycle()
    monkeypatch.setattr(lifecycle, "load", type(lifecycle.load)(clock=lambda: now[0]))
    monkeypatch.setattr(endpoint, "FADE_SECONDS", 0.01)
    async with watching(LoadEndpoint(lifecycle)) as reader:
        lifecycle.load.refused()
        lifecycle.load.model_call(ok=False)
        await reader.until(lambda: len(reader.lines) == 2)
        now[0] += 6
        await reader.until(lambda: len(reader.lines) == 3)
        now[0] += 30
        await reader.until(lambda: len(reader.lines) == 4)
        assert [(line["refused"], line["upstream_error_share"]) for line in reader.lines[1:]] == [
            (1, 1),
            (0, 1),
            (0, 0),
        ]


async def test_the_stream_ends_with_the_drain(lifecycle: Lifecycle) -> None:
    lifecycle.warmed()
    reader = Reader(LoadEndpoint(lifecycle))
    await reader.until(lambda: bool(reader.lines))
    lifecycle.drain()
    await asyncio.wait_for(reader.task, 10)
    assert [line["state"] for line in reader.lines] == ["warm", "draining"]
    assert reader.ended


async def test_who_comes_during_the_drain_gets_one_line(lifecycle: Lifecycle) -> None:
    lifecycle.drain()
    reader = Reader(LoadEndpoint(lifecycle))
    await asyncio.wait_for(reader.task, 10)
    assert [line["state"] for line in reader.lines] == ["draining"]


async def test_the_ninth_is_refused_until_one_of_eight_leaves(lifecycle: Lifecycle) -> None:
    server = LoadEndpoint(lifecycle)
    readers = [Reader(server) for _ in range(9)]
    await asyncio.wait_for(readers[8].task, 10)
    assert readers[8].status == 503
    readers[0].leave()
    await readers[0].task
    async with watching(server) as late:
        assert late.status == 200
    for reader in readers[1:8]:
        reader.leave()
        await reader.task
    assert not lifecycle.load._watchers
