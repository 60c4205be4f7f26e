"""A server in the place of Prometheus that answers what a test sets, and an operator whose ticks last a second."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from component.web_server import serving

FAST = """
from prewarm_operator import cli
from prewarm_operator.control import backfill, forecaster, memory, prometheus_poll, scaler

for module in (backfill, forecaster, scaler):
    module.TICK_SECONDS = 1.0
prometheus_poll.LEAD_SECONDS = 0.3
backfill.BACK_SECONDS = 60.0
memory.SAVE_SECONDS = 1.0
raise SystemExit(cli.main())
"""
"""To be run by the interpreter (-c)."""


class FakePrometheus:
    """Its address, and what it answers to an instant query: set `result`, or `status` and `body`, or `hangs`."""

    def __init__(self) -> None:
        self.address = ""
        self.result: Any = None
        self.status = 200
        self.body: bytes | None = None
        self.hangs = False

    def says(self, value: Any, at: float | None = None) -> None:
        """One series with this value."""
        self.gives([{"metric": {}, "value": [time.time() if at is None else time.time() + at, value]}])

    def gives(self, result: Any) -> None:
        self.status, self.body, self.hangs, self.result = 200, None, False, result

    def fails(self, status: int, body: bytes) -> None:
        self.status, self.body, self.hangs = status, body, False

    async def _answer(self, request: web.Request) -> web.Response:
        if self.hangs:
            await asyncio.sleep(60)
        if request.path.endswith("query_range"):
            return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": []}})
        body = self.body
        if body is None:
            answer = {"status": "success", "data": {"resultType": "vector", "result": self.result or []}}
            body = json.dumps(answer).encode()
        return web.Response(body=body, status=self.status)


@asynccontextmanager
async def fake_prometheus() -> AsyncIterator[FakePrometheus]:
    fake = FakePrometheus()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", fake._answer)
    async with serving(application) as address:
        fake.address = f"http://{address}"
        yield fake
