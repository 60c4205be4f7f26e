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

EXPIRES_AT = "prewarm.expires_at"


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with a lifetime, and with a shutdown that looks before it closes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALLED_SECONDS * 1000))
        now = self.loop.time()
        self._silent_since = now
        self._head_arriving = False
        lifetime = LIFETIME_SECONDS * random.uniform(1 - LIFETIME_JITTER, 1 + LIFETIME_JITTER)  # noqa: S311
        # uvicorn copies this into the state of every request of the connection.
        self.app_state: dict[str, Any] = {**self.app_state, EXPIRES_AT: now + lifetime}

    def on_message_begin(self) -> None:
        self._head_arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_arriving = False
        super().on_headers_complete()

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
        answering = self.cycle is not None and not self.cycle.response_complete
        return answering or self._head_arriving or self._unread_bytes() > 0

    def _unread_bytes(self) -> int:
        """What the kernel has received and the loop has not yet read. Closing now would reset the connection."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0])


def expired(state: dict[str, Any]) -> bool:
    """Whether the connection of a request with this state has lived long enough."""
    return bool(asyncio.get_running_loop().time() > state[EXPIRES_AT])
