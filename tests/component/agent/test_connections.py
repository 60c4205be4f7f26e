"""Connections at the server's side, in the test's own process, where their times can be made short."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from prewarm_agent.serve import connections, listener
from prewarm_agent.serve import server as server_module
from prewarm_agent.serve.asgi import Application, Receive, Scope, Send, read_body, send_json
from prewarm_agent.serve.connections import expired
from prewarm_agent.serve.listen import listen
from prewarm_agent.serve.listener import Listener
from prewarm_agent.serve.server import Server


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await send_json(send, 200, {"expired": expired(scope["state"])})


async def body_size(scope: Scope, receive: Receive, send: Send) -> None:
    body = await read_body(receive, 1000)
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    await send_json(send, 200, len(body))


@asynccontextmanager
async def serving(listening: socket.socket, application: Application = application) -> AsyncIterator[str]:
    server = Server(application, listening)
    task = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.force_exit = server.should_exit = True
    await task


async def test_a_connection_expires_with_its_age_and_a_new_one_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LIFETIME_SECONDS", 0.3)
    async with serving(listen(0)) as url:
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).json() == {"expired": False}
            await asyncio.sleep(0.5)
            assert (await client.get(url)).json() == {"expired": True}
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).json() == {"expired": False}


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_a_port_is_reached_by_ipv4_and_by_ipv6(host: str) -> None:
    async with serving(listen(0)) as url, httpx.AsyncClient() as client:
        assert (await client.get(url.replace("127.0.0.1", host))).status_code == 200


class OutOfDescriptors(socket.socket):
    """A listening socket that cannot accept at first."""

    failures = 2

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_a_listener_that_ran_out_of_descriptors_pauses_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0.05)
    with listen(0) as plain:
        listening = OutOfDescriptors(fileno=plain.detach())
    async with serving(listening) as url, httpx.AsyncClient() as client:
        assert (await client.get(url)).status_code == 200
        assert listening.failures == 0


async def test_a_closed_listener_has_handed_over_all_that_waited() -> None:
    class Counted(asyncio.Protocol):
        made = 0

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            Counted.made += 1
            transport.close()

    listening = listen(0)
    accepting = Listener(listening, Counted)
    clients = [socket.create_connection(("127.0.0.1", listening.getsockname()[1])) for _ in range(100)]
    await accepting.close()
    assert Counted.made == len(clients)
    for client in clients:
        client.close()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to `body_size`, byte by byte."""
    listening = listen(0)
    async with serving(listening, body_size), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
        yield reader, writer
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body, of which there is one byte or none."""
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1]), await reader.readexactly(int(b"content-length: 1" in head))


CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"GET /", b"a"),
        (b"GET / HTTP/1.1\r\nx: ", b"a"),
        (b"GET / HTTP/1.1\r\n", b"x: a\r\n"),
        (b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\nx: ", b"a"),
        (CHUNKED + b"1;", b"a"),
        (CHUNKED + b"0\r\n", b"x: a\r\n"),
    ],
    ids=["url", "header", "headers", "upgrade", "chunk extension", "trailers"],
)
async def test_what_is_no_body_is_bounded(start: bytes, more: bytes) -> None:
    async def send_without_end() -> None:
        while True:
            writer.write(more * (4096 // len(more)))
            await writer.drain()
            await asyncio.sleep(0)

    async with connected() as (_, writer):
        writer.write(start)
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_without_end(), 3)


async def test_a_head_that_is_too_large_is_told_so() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nx: " + b"a" * 66_000)
        assert await answer(reader) == (431, b"")
        assert await reader.read() == b""


async def test_a_head_of_the_usual_size_is_read_in_pieces_and_body_after_body_does_not_count() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\ncontent-length: 9\r\nx: " + b"a" * 30_000)
            await asyncio.sleep(0.02)
            writer.write(b"\r\n\r\n")
            await asyncio.sleep(0.02)
            writer.write(b"123456789")
            assert await answer(reader) == (200, b"9")


async def test_a_head_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    async with connected() as (reader, writer):
        for byte in b"GET / HT":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.03)
        assert await answer(reader) == (408, b"")
        assert await reader.read() == b""


@pytest.mark.parametrize("said", [b"", b"\r\n"], ids=["nothing", "empty lines"])
async def test_a_connection_on_which_no_request_comes_is_closed(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(server_module, "KEEPALIVE_SECONDS", 0.3)
    async with connected() as (reader, writer):
        for _ in range(5):
            writer.write(said)
            await asyncio.sleep(0.05)
        assert await reader.read() == b""


async def test_a_request_whose_head_began_during_an_answer_is_not_taken_for_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "KEEPALIVE_SECONDS", 0.3)
    async with connected() as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\n\r\nGET /slow HT")
        assert await answer(reader) == (200, b"0")
        writer.write(b"TP/1.1\r\n\r\n")
        assert await answer(reader) == (200, b"0")


async def test_a_client_that_would_rather_have_http_2_is_served_body_and_all() -> None:
    """As the HTTP client of Java asks with its first request, the body in a packet of its own or not."""
    head = (
        b"POST / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 9\r\nHost: x\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n\r\n"
    )
    async with connected() as (reader, writer):
        writer.write(head + b"123456789")
        assert await answer(reader) == (200, b"9")
        writer.write(head)
        await asyncio.sleep(0.05)
        writer.write(b"123456789")
        assert await answer(reader) == (200, b"9")
        writer.write(head.replace(b"Content-Length: 9", b"Transfer-Encoding: chunked") + b"2\r\n12\r\n0\r\n\r\n")
        assert await answer(reader) == (200, b"2")
        writer.write(b"CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n"))[:12] == b"HTTP/1.1 400"
