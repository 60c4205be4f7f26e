"""Streams of loads over real HTTP, and pods that misbehave on them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from component.web_server import serving

from prewarm_operator.signals import streams
from prewarm_operator.signals.streams import Streams

LINE = {"state": "warm", "in_flight": 3, "queued": 0, "refused": 0, "upstream_error_share": 0.0}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def line(**fields: Any) -> bytes:
    return json.dumps({**LINE, **fields}).encode() + b"\n"


@asynccontextmanager
async def pod(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/load", handler)
    async with serving(application) as address:
        yield f"http://{address}"


async def opened(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    return response


@pytest.fixture
async def followed() -> AsyncIterator[Streams[str]]:
    started = Streams[str](lambda agent: None, time.monotonic)
    yield started
    await started.close()


async def load_of(followed: Streams[str], uid: str = "one", seconds: float = 5.0) -> int:
    async with asyncio.timeout(seconds):
        while uid not in followed.heard("agent"):
            await asyncio.sleep(0.01)
    return followed.heard("agent")[uid].load.in_flight


async def never(request: web.Request) -> web.StreamResponse:
    response = await opened(request)
    await response.write(line())
    await asyncio.sleep(60)
    return response


async def test_every_change_is_told_at_once() -> None:
    changes: list[tuple[str, float]] = []
    release = asyncio.Event()

    async def two_lines(request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        await response.write(line(in_flight=1))
        await release.wait()
        await response.write(line(in_flight=2))
        await asyncio.sleep(60)
        return response

    followed = Streams[str](lambda agent: changes.append((agent, time.monotonic())), time.monotonic)
    try:
        async with pod(two_lines) as url:
            followed.follow("agent", {"one": url})
            assert await load_of(followed) == 1
            await asyncio.sleep(0.1)
            sent = time.monotonic()
            release.set()
            async with asyncio.timeout(2):
                while followed.heard("agent")["one"].load.in_flight == 1:
                    await asyncio.sleep(0.005)
            assert [agent for agent, _ in changes] == ["agent", "agent"]
            assert changes[1][1] - sent < 0.1
    finally:
        await followed.close()


async def test_a_stream_that_stalls_without_closing_is_opened_anew(
    followed: Streams[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SILENT_SECONDS", 0.3)
    opens = 0

    async def stalls(request: web.Request) -> web.StreamResponse:
        nonlocal opens
        opens += 1
        response = await opened(request)
        await response.write(line(in_flight=opens))
        await asyncio.sleep(60)
        return response

    async with pod(stalls) as url:
        followed.follow("agent", {"one": url})
        async with asyncio.timeout(5):
            while opens < 3:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "text", [b"hello\n", b'{"in_flight": -1}\n', b"x" * 100_000 + b"\n", line(in_flight=float("nan"))]
)
async def test_a_pod_that_says_nonsense_breaks_only_its_own_reading(followed: Streams[str], text: bytes) -> None:
    async def nonsense(request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        await response.write(text)
        await asyncio.sleep(60)
        return response

    async with pod(nonsense) as bad, pod(never) as good:
        followed.follow("agent", {"bad": bad, "one": good})
        assert await load_of(followed) == 3
        await asyncio.sleep(0.5)
        assert "bad" not in followed.heard("agent")


async def test_a_pod_that_closes_at_once_is_asked_again_and_again_but_later_and_later(followed: Streams[str]) -> None:
    opens = []

    async def closes(request: web.Request) -> web.StreamResponse:
        opens.append(time.monotonic())
        return await opened(request)

    async with pod(closes) as url:
        followed.follow("agent", {"one": url})
        await asyncio.sleep(3)
        assert 3 <= len(opens) <= 5


@pytest.mark.parametrize("status", [404, 302])
async def test_a_server_without_a_stream_is_not_asked_again_soon(followed: Streams[str], status: int) -> None:
    asked = 0

    async def none(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=status, headers={"Location": "/load"})

    async with pod(none) as url:
        followed.follow("agent", {"one": url})
        await asyncio.sleep(1.5)
        assert asked == 1
        assert not followed.heard("agent")


async def test_a_pod_that_floods_is_heard_at_a_bounded_rate() -> None:
    told = 0

    def count(_: str) -> None:
        nonlocal told
        told += 1

    async def floods(request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        for number in range(100_000):
            await response.write(line(in_flight=number % 100))
        return response

    followed = Streams[str](count, time.monotonic)
    try:
        async with pod(floods) as url:
            followed.follow("agent", {"one": url})
            await load_of(followed)
            told = 0
            await asyncio.sleep(1)
            assert 5 < told <= 60
    finally:
        await followed.close()


async def test_a_pod_that_is_gone_is_not_heard_any_more(followed: Streams[str]) -> None:
    async with pod(never) as url:
        followed.follow("agent", {"one": url, "two": url})
        await load_of(followed, "two")
        await load_of(followed)
        followed.follow("agent", {"two": url})
        assert followed.heard("agent").keys() == {"two"}
        followed.forget("agent")
        assert not followed.heard("agent")


async def test_a_pod_that_accepts_and_says_nothing_holds_up_nobody(
    followed: Streams[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CONNECT_SECONDS", 0.2)
    server = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with pod(never) as good:
        followed.follow("agent", {"slow": f"http://127.0.0.1:{port}", "one": good})
        assert await load_of(followed) == 3
    server.close()
