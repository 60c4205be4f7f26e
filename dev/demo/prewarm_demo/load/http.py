"""An HTTP/1.1 client with a keep-alive pool, for load, since the generator shares the machine with what it measures.

It never repeats a request by itself. As urllib3 and httpx do, it looks whether an idle connection was closed by the
other side before it sends on it.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

# Long on purpose: it pins clients to the pods they know, as proxies and SDKs do.
KEEPALIVE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Response:
    """`retry_after_seconds` is what the server asked for, as a number; None if it did not."""

    status: int
    body: bytes
    retry_after_seconds: float | None = None


class BrokenConnectionError(OSError):
    """The connection ended, or ceased to be HTTP, after the request was sent and before its answer was complete."""


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way. httptools calls the `on_...` methods while it parses."""

    def __init__(self) -> None:
        self.closed = False
        self.idle_since_seconds = 0.0
        self._answer: asyncio.Future[Response] | None = None
        self._body = bytearray()
        self._retry_after_seconds: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class does not derive from it
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)

    async def send(self, request: bytes) -> Response:
        self._body.clear()
        self._retry_after_seconds = None
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is not HTTP: {error}")

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and value.isdigit():
            self._retry_after_seconds = float(value)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        self.idle_since_seconds = self._loop.time()
        if self._answer is not None and not self._answer.done():
            status = self._parser.get_status_code()
            self._answer.set_result(Response(status, bytes(self._body), self._retry_after_seconds))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(str(exc or "closed by the server"))

    def reusable(self, now_seconds: float) -> bool:
        if self.closed or now_seconds - self.idle_since_seconds > KEEPALIVE_SECONDS:
            return False
        sock: socket.socket = self._transport.get_extra_info("socket")
        return not select.select([sock], [], [], 0)[0]

    def close(self) -> None:
        self.closed = True
        self._transport.close()

    def _fail(self, reason: str) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BrokenConnectionError(reason))


class PooledClient:
    """POSTs JSON to one URL. The idle connection that was used last is used next, as Go's and urllib3's pools do."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, f"{url}: has no host"
        self._address = (parts.hostname, parts.port or 80)
        self._head = f"POST {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        self._idle: list[_Connection] = []

    async def post(self, body: bytes) -> Response:
        """The answer. Raises BrokenConnectionError once the request was sent, another OSError when none could be."""
        with self._connection_of(await self._connect()) as connection:
            return await connection.send(f"{self._head}content-length: {len(body)}\r\n\r\n".encode() + body)

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable(loop.time()):
                return connection
            connection.close()
        return (await loop.create_connection(_Connection, *self._address))[1]

    @contextmanager
    def _connection_of(self, connection: _Connection) -> Iterator[_Connection]:
        """Keep the connection after a complete answer; close it after anything else, a deadline included."""
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if not connection.closed:
            self._idle.append(connection)
