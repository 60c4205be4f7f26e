"""A pod as far as the operator's load stream sees it: an address of its own with /load on port 8081."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from component.web_server import serving

_NUMBERS = itertools.count(2)
WARM = {"state": "warm", "in_flight": 0, "queued": 0, "limit": 10, "queue_limit": 5, "refused": 0}


class LoadServer:
    """Tells every watcher what tell() was last given."""

    def __init__(self) -> None:
        self.address = f"127.0.77.{next(_NUMBERS)}"
        self.report: dict[str, Any] = {**WARM, "upstream_error_share": 0.0}
        self._changed = asyncio.Event()

    def tell(self, **report: Any) -> None:
        self.report |= report
        self._changed.set()
        self._changed = asyncio.Event()

    async def _load(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        while True:
            changed = self._changed
            await response.write(json.dumps(self.report).encode() + b"\n")
            await changed.wait()

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[LoadServer]:
        server = cls()
        application = web.Application()
        application.router.add_get("/load", server._load)
        async with serving(application, server.address, 8081):
            yield server
