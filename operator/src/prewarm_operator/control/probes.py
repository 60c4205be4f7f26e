"""The operator's own HTTP server: livez, readyz, metrics."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

SHUTDOWN_SECONDS = 1.0
"""Answers that are under way get this long to end."""


@asynccontextmanager
async def serve(port: int, fault: Callable[[], str | None], is_ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Serve on all addresses while the context lasts.

    /livez answers 503 with the sentence that `fault` returns, if it does. /readyz answers 200 once everything has been
    listed, on a standby too: it can take over.
    """

    async def livez(_: web.Request) -> web.Response:
        found = fault()
        return web.Response(text="ok\n") if found is None else web.Response(status=503, text=f"{found}\n")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if is_ready() else web.Response(status=503, text="not all kinds are listed\n")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()
