"""Servers of the demo on loopback, each on a port that was free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp

from prewarm_demo.model_server import build_app


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    await task


@pytest.fixture
async def model_url() -> AsyncIterator[str]:
    """A model server without latency."""
    async with serving(build_app(latency_seconds=0)) as url:
        yield url


@pytest.fixture
async def naive_url(model_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The naive app, which asks that model server."""
    from prewarm_demo.naive.app import app

    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model_url}/v1")
    async with serving(app) as url:
        yield url
