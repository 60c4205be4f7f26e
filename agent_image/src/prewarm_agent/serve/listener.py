"""Accepting connections: all that wait at each turn of the loop, and none left behind at the end.

uvloop's own server accepts one a turn. On a busy loop a burst of connections then waits for seconds in the backlog, and
those that wait there when the socket is closed are reset.
"""

import asyncio
import logging
import socket
from collections.abc import Callable

logger = logging.getLogger(__name__)

# Out of file descriptors, a socket stays readable: without a pause the loop would do nothing but try again.
RETRY_SECONDS = 1.0


class Listener:
    """Hands every connection that `listening` gets to a protocol, until it is closed."""

    def __init__(self, listening: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._socket = listening
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._handovers: set[asyncio.Task[object]] = set()
        self._socket.setblocking(False)
        self._listen()

    async def close(self) -> None:
        """Takes what waits, then refuses. When it returns, every connection taken has its protocol."""
        self._loop.remove_reader(self._socket)
        self._accept()
        self._socket.close()
        if self._handovers:
            await asyncio.wait(self._handovers)

    def _listen(self) -> None:
        if self._socket.fileno() != -1:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                logger.warning("cannot accept a connection", extra={"error": str(error)})
                self._loop.remove_reader(self._socket)
                self._loop.call_later(RETRY_SECONDS, self._listen)
                return
            connection.setblocking(False)
            handover = self._loop.create_task(self._hand_over(connection))
            self._handovers.add(handover)
            handover.add_done_callback(self._handovers.discard)

    async def _hand_over(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:
            connection.close()  # it is gone already
