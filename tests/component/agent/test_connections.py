"""Connections at the server's side, in the test's own process, where their times can be made short."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from prewarm_agent.serve import connections, listener
from prewarm_agent.serve.asgi import Receive, Scope, Send, send_json
from prewarm_agent.serve.connections import expired
from prewarm_agent.serve.listen import listen
from prewarm_agent.serve.listener import Listener
from prewarm_agent.serve.server import Server


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await send_json(send, 200, {"expired": expired(scope["state"])})


@asynccontextmanager
async def serving(listening: socket.socket) -> AsyncIterator[str]:
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
