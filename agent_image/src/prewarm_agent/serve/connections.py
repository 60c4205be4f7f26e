"""When a client's connection ends, so that load moves to new pods and no request is lost with a connection.

A Service balances connections, not requests: clients with keep-alive pools stay where they are for ever unless told to
go. The way to tell them is `Connection: close` on an answer; a connection is never closed under a client that uses it,
and one that takes nothing of its answer does not use it.
"""

import asyncio
import fcntl
import random
import socket
import struct
import termios
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Connections older than this end with their next answer; spread, so that not all of a burst's come back at once.
LIFETIME_SECONDS = 60.0
LIFETIME_JITTER = 0.2
# The server must not be the one that ends an idle connection, or it does so while a request is on its way. Go's client
# keeps idle connections for 90 s, which is the longest of the usual ones.
KEEPALIVE_SECONDS = 120
# At shutdown: no usual client uses a connection again that was idle for longer (httpx and the OpenAI SDK let go of it
# after 5 s, aiohttp after 15), so this is when closing it can no longer cross a request on its way.
SILENCE_SECONDS = 16.0
IN_USE_CHECK_SECONDS = 0.5
# A client that neither makes room for what waits to be sent nor acknowledges what was sent, for this long, is gone. The
# kernel sees to it: only it knows what the client has taken, and it holds megabytes before a write here has to wait.
STALLED_SECONDS = 30.0
# What is no body has no bound in uvicorn, neither in size nor in time, and comes before any token is asked for.
MAX_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

EXPIRES_AT = "prewarm.expires_at"


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with a lifetime, bounds for heads, and a shutdown that looks before it closes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALLED_SECONDS * 1000))
        now = self.loop.time()
        self._silent_since = now
        self._head_late: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        lifetime = LIFETIME_SECONDS * random.uniform(1 - LIFETIME_JITTER, 1 + LIFETIME_JITTER)  # noqa: S311
        # uvicorn copies this into the state of every request of the connection.
        self.app_state: dict[str, Any] = {**self.app_state, EXPIRES_AT: now + lifetime}
        # uvicorn's timer of idle connections would start with the first answer.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_over()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, except that nothing but a request ends the wait for one, and no request ends in an upgrade."""
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()
        if self._head_late is None:  # a head that is read again has its time already
            self._head_late = self.loop.call_later(HEAD_SECONDS, self._refuse, _TOO_SLOW)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._head_is_over()
            # Again: the answer before this request may have come in the middle of its head.
            self._unset_keepalive_if_required()
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._head_bytes = 0
            super().on_message_complete()

    def _read_without_upgrade(self, rest: bytes) -> None:
        """Reads the request again as if it asked for no other protocol, which a server may do.

        Java's HTTP client asks for HTTP/2 with its first request, and the parser takes the body for that.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":  # an upgrade whatever its headers say
            self.send_400_response("Invalid HTTP request received.")
            return
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._head_bytes = 0
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _refuse(self, answer: bytes) -> None:
        """Ends the connection, with an answer if none is on its way."""
        if self.transport.is_closing():
            return
        if not self._answering():
            self.transport.write(answer)
        self.transport.close()

    def _head_is_over(self) -> None:
        if self._head_late is not None:
            self._head_late.cancel()
            self._head_late = None

    def on_response_complete(self) -> None:
        self._silent_since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Called when the process stops accepting connections: closes this one when it can lose nothing.

        A request that still comes is answered, with `Connection: close`, which ends the connection sooner. An answer
        that had started before the drain did not say so: its connection must serve one more request.
        """
        if self.transport.is_closing():
            return
        if self._in_use():
            wait_seconds = IN_USE_CHECK_SECONDS
        else:
            wait_seconds = self._silent_since + SILENCE_SECONDS - self.loop.time()
        if wait_seconds > 0:
            self.loop.call_later(wait_seconds, self.shutdown)
        else:
            self.transport.close()

    def _in_use(self) -> bool:
        return self._answering() or self._head_late is not None or self._unread_bytes() > 0

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _unread_bytes(self) -> int:
        """What the kernel has received and the loop has not yet read. Closing now would reset the connection."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0])


def expired(state: dict[str, Any]) -> bool:
    """Whether the connection of a request with this state has lived long enough."""
    return bool(asyncio.get_running_loop().time() > state[EXPIRES_AT])
