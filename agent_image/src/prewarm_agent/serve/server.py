"""uvicorn without its signal handling: it would refuse connections at once, while traffic still comes."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from prewarm_agent.serve.asgi import Application
from prewarm_agent.serve.connections import KEEPALIVE_SECONDS, Connection
from prewarm_agent.serve.listen import BACKLOG


class Server(uvicorn.Server):
    """Serves an application on a listening socket until `should_exit`, then finishes what is in flight."""

    def __init__(self, application: Application, listener: socket.socket) -> None:
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
            backlog=BACKLOG,
            timeout_keep_alive=KEEPALIVE_SECONDS,
        )
        super().__init__(config)
        self._listener = listener

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_until_exit(self) -> None:
        await self.serve(sockets=[self._listener])
