"""Clients that stop reading, over real sockets: they are dropped, and what runs for them ends."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.load import Load
from prewarm_agent.serve import connections
from prewarm_agent.serve.asgi import Application, Receive, Scope, Send
from prewarm_agent.serve.event_stream import EventStream
from prewarm_agent.serve.load import LoadEndpoint
from prewarm_agent.serve.running import Running, with_heartbeats
from prewarm_agent.serve.server import Server
from prewarm_agent.startup.state import Lifecycle

STALLED_SECONDS = 0.5
SMALL_BYTES, LARGE_BYTES = 4096, 64 * 1024


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", STALLED_SECONDS)


class Talking:
    """Work that says a thousand words at a time, until it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self, *, late: bool) -> None:
        self.cancelled = True

    async def events(self) -> AsyncGenerator[str, None]:
        while not self.cancelled:
            yield "word " * 1000
            await asyncio.sleep(0.005)


class Streaming:
    """An application that streams what Talking says."""

    def __init__(self) -> None:
        self.gate = Gate(1, Load())
        self.work = Talking()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        stream = EventStream(send)
        async with Running(self.gate, request_timeout_seconds=60).run(self.work, receive) as run:
            async for event in with_heartbeats(run):
                await stream.event(event)


@asynccontextmanager
async def reader(
    application: Application, query: str = "", *, buffer_bytes: int = SMALL_BYTES
) -> AsyncIterator[socket.socket]:
    """A client that has asked, and reads only what the test reads."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(application, listening)
    serving = asyncio.create_task(server.serve())
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, listening.getsockname())
        client.send(f"GET /{query} HTTP/1.1\r\nhost: agent\r\n\r\n".encode())
        yield client
    server.should_exit = server.force_exit = True
    await serving


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_run_whose_client_stops_reading_ends_and_gives_its_place_back() -> None:
    application = Streaming()
    async with reader(application):
        await until(lambda: application.gate.load.in_flight == 1)
        await until(lambda: application.work.cancelled and application.gate.load.in_flight == 0)


async def test_a_client_that_reads_slowly_is_served_on() -> None:
    application = Streaming()
    loop = asyncio.get_running_loop()
    async with reader(application, buffer_bytes=LARGE_BYTES) as client:
        end = loop.time() + 4 * STALLED_SECONDS
        while loop.time() < end:
            await loop.sock_recv(client, 2 * LARGE_BYTES)
            await asyncio.sleep(STALLED_SECONDS / 10)
        assert application.gate.load.in_flight == 1
        assert not application.work.cancelled


async def test_a_watcher_of_the_load_that_stops_reading_leaves_its_place_to_others() -> None:
    lifecycle = Lifecycle()
    endpoint = LoadEndpoint(lifecycle)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await endpoint.answer(scope, receive, send)

    async def change() -> None:
        while True:
            lifecycle.load.in_flight += 1
            lifecycle.load.changed()
            await asyncio.sleep(0.001)

    async with reader(application, "?watch=1"):
        await until(lambda: endpoint._watchers == 1)
        changing = asyncio.create_task(change())
        await until(lambda: endpoint._watchers == 0)
        changing.cancel()
