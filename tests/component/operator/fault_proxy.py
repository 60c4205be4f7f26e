"""A proxy before a real API server that breaks what passes, as networks, balancers and servers in trouble do.

    with FaultProxy(api_server, tmp_path) as proxy, running(proxy.kubeconfig, ...):
        with proxy.answering(429, lambda request: request.method == "PATCH", {"Retry-After": "3"}):
            ...

It runs in a thread of its own, so that a test may block.
"""

from __future__ import annotations

import asyncio
import json
import math
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from devcluster import pki
from devcluster.controlplane import ControlPlane

T = TypeVar("T")
HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "host", "date"})


@dataclass(frozen=True)
class Request:
    """What a client sent; `at` is monotonic, in seconds."""

    method: str
    path: str
    is_watch: bool
    at: float


Matches = Callable[[Request], bool]


@dataclass
class Fault:
    """Either an answer of the proxy's own, or the wait for `release` before the real answer is passed on."""

    matches: Matches
    status: int | None = None
    times: float = math.inf
    headers: dict[str, str] = field(default_factory=dict)
    seen: threading.Event = field(default_factory=threading.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class Watch:
    """An open watch; nothing passes once it is silent."""

    incoming: web.Request
    response: web.StreamResponse
    task: asyncio.Task[Any] | None
    is_silent: bool = False


class FaultProxy:
    """Listens on a free port of the loopback address as long as the context lasts."""

    def __init__(self, api_server: ControlPlane, folder: Path) -> None:
        self._api_server = api_server
        self.kubeconfig = folder / "through-the-proxy"
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._watches: list[Watch] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy")

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        port = self._call(self._start())
        pki.write_kubeconfig(self.kubeconfig, f"https://127.0.0.1:{port}", self._api_server.pki, "admin")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def answering(
        self, status: int, matches: Matches, headers: dict[str, str] | None = None, times: float = math.inf
    ) -> Iterator[None]:
        """Matching requests are answered with `status`, below 400 without a body, and never reach the API server.

        After so many `times` they do.
        """
        with self._fault(Fault(matches, status, times, headers or {})):
            yield

    @contextmanager
    def holding_answers(self, matches: Matches) -> Iterator[threading.Event]:
        """Matching requests reach the API server, their answers wait until the context ends.

        The event is set when the first such answer is there.
        """
        with self._fault(Fault(matches)) as fault:
            yield fault.seen

    @contextmanager
    def _fault(self, fault: Fault) -> Iterator[Fault]:
        self._faults.append(fault)
        try:
            yield fault
        finally:
            self._faults.remove(fault)
            self._loop.call_soon_threadsafe(fault.release.set)

    def silence_watches(self) -> None:
        """Make every open watch half-open: the connection stays, and nothing comes through it any more."""
        for watch in list(self._watches):
            watch.is_silent = True

    def cut_watches(self) -> None:
        """End every open watch by a reset connection."""
        self._loop.call_soon_threadsafe(self._cut)

    def send_error(self, code: int) -> None:
        """Send an event of type ERROR through every open watch, and end it."""
        self._call(self._send_error(code))

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> int:
        folder = self._api_server.pki
        client_tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        client_tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_tls.load_cert_chain(folder / "apiserver.crt", folder / "apiserver.key")
        self._session = aiohttp.ClientSession(
            self._api_server.endpoints.server,
            connector=aiohttp.TCPConnector(ssl=client_tls),
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=2**21,
            auto_decompress=False,
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=server_tls)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        request = Request(incoming.method, incoming.path, incoming.query.get("watch") == "true", time.monotonic())
        self.requests.append(request)
        fault = next((each for each in self._faults if each.times > 0 and each.matches(request)), None)
        if fault is not None and fault.status is not None:
            fault.times -= 1
            if fault.status < 400:
                return web.Response(status=fault.status, headers=fault.headers)
            body = {"kind": "Status", "code": fault.status, "message": "broken by the test"}
            return web.json_response(body, status=fault.status, headers=fault.headers)
        headers = {name: value for name, value in incoming.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._session.request(
            incoming.method, incoming.path_qs, headers=headers, data=await incoming.read() or None
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            if request.is_watch:
                await self._pass_watch(Watch(incoming, response, asyncio.current_task()), answer)
                return response
            payload = await answer.read()
        if fault is not None:
            fault.seen.set()
            await fault.release.wait()
        await response.prepare(incoming)
        await response.write(payload)
        await response.write_eof()
        return response

    async def _pass_watch(self, watch: Watch, answer: aiohttp.ClientResponse) -> None:
        await watch.response.prepare(watch.incoming)
        self._watches.append(watch)
        try:
            async for line in answer.content:
                if not watch.is_silent:
                    await watch.response.write(line)
        finally:
            self._watches.remove(watch)

    def _cut(self) -> None:
        for watch in self._watches:
            if watch.incoming.transport is not None:
                watch.incoming.transport.abort()

    async def _send_error(self, code: int) -> None:
        status = {"kind": "Status", "code": code, "message": "broken by the test", "metadata": {}}
        for watch in list(self._watches):
            await watch.response.write(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            if watch.task is not None:
                watch.task.cancel()
