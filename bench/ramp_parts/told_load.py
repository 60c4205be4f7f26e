"""The load of pods that run nothing: one server answers for all of them at their common address.

Each operator hears the agent that it watches, and so is told apart by its own address. The load is dealt out among the
streams that it has open, so that what they tell together is the load, however many pods there are.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

PORT = 8081
TICK_SECONDS = 1.0


class ToldLoad:
    """`load` says how many requests are in flight now."""

    def __init__(self, load: Callable[[], float]) -> None:
        self._load = load
        self._streams: dict[str, list[web.StreamResponse]] = defaultdict(list)

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        streams = self._streams[request.remote or ""]
        streams.append(response)
        try:
            while True:
                in_flight, left = divmod(round(self._load()), len(streams))
                report = {"in_flight": in_flight + (streams.index(response) < left), "queued": 0, "refused": 0}
                await response.write(json.dumps(report | {"upstream_error_share": 0.0}).encode() + b"\n")
                await asyncio.sleep(TICK_SECONDS)
        finally:
            streams.remove(response)

    @asynccontextmanager
    async def serve(self, address: str) -> AsyncIterator[None]:
        """Serve on `address` while the body runs."""
        application = web.Application()
        application.router.add_get("/load", self._follow)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, address, PORT).start()
            yield
        finally:
            await runner.cleanup()
