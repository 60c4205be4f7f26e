"""uvicorn as a pod needs it.

Without its signal handling, which would refuse connections while traffic still comes, and with a listener that takes
connections in bulk.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from prewarm_agent.serve.asgi import Application
from prewarm_agent.serve.connections import KEEPALIVE_SECONDS, Connection
from prewarm_agent.serve.listener import Listener


class Server(uvicorn.Server):
    """Serves an application on a listening socket until `should_exit`, then until its last connection is closed."""

    def __init__(self, application: Application, listening: socket.socket) -> None:
        config = uvicorn.Config(
            application,
            http=Connection,
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEPALIVE_SECONDS,
        )
        super().__init__(config)
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        self.servers = []
        self._listener = Listener(self._listening, self._connection)
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._listener.close()
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        return Connection(self.config, self.server_state, app_state={})
