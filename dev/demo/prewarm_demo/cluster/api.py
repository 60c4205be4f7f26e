"""The Kubernetes API over HTTP, through `kubectl proxy`: for what is read many times a second."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2

from prewarm_demo.cluster.access import Access
from prewarm_demo.errors import DemoError

PROXY_START_SECONDS = 10.0


class Api:
    """Reads. Failures are httpx2.HTTPError."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def json(self, path: str) -> Any:
        return json.loads(await self.text(path))

    async def text(self, path: str, timeout_seconds: float = 10.0) -> str:
        response = await self._client.get(path, timeout=timeout_seconds)
        return response.raise_for_status().text

    async def events(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """The events of a watch, each as soon as it arrives, until the API server ends the watch."""
        async with self._client.stream("GET", path, timeout=None) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                yield json.loads(line)


@contextlib.asynccontextmanager
async def connect(access: Access) -> AsyncIterator[Api]:
    """An Api for the cluster. The proxy listens on a socket in a folder of this user alone, not on a port."""
    with tempfile.TemporaryDirectory(prefix="prewarm-demo-") as folder:
        socket = Path(folder) / "api.sock"
        proxy = await asyncio.create_subprocess_exec(
            *(access.kubectl, f"--kubeconfig={access.kubeconfig}", "proxy", f"--unix-socket={socket}"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _wait_for(proxy)
            transport = httpx2.AsyncHTTPTransport(uds=str(socket))
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                yield Api(client)
        finally:
            with contextlib.suppress(ProcessLookupError):
                proxy.terminate()
            await proxy.wait()


async def _wait_for(proxy: asyncio.subprocess.Process) -> None:
    """Return when the proxy says that it serves."""
    assert proxy.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PROXY_START_SECONDS):
            if await proxy.stdout.readline():
                return
    raise DemoError("`kubectl proxy` did not start; run it by hand to see why.")
