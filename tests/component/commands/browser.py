"""A real chromium, told by the DevTools protocol to lay out a page."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
NEEDED_FOR_THE_PAGE = ("file:", "data:", "about:")


@dataclass
class Page:
    """A tab. What it asks of the network and says on its console is kept."""

    socket: aiohttp.ClientWebSocketResponse
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def open(self, file: Path, width: int, scheme: str = "light") -> None:
        """Lay a file out, as wide as that, and return when it is loaded and drawn."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.call("Page.navigate", url=file.as_uri())
        while (await self._next()).get("method") != "Page.loadEventFired":
            pass
        await self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    async def evaluate(self, expression: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"]["value"]

    async def screenshot(self, file: Path) -> None:
        """All of the page, as PNG: to be looked at."""
        taken = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads((await self.socket.receive(timeout=30)).data)
        match message.get("method"), message.get("params", {}):
            case "Network.requestWillBeSent", {"request": {"url": str(url)}}:
                if not url.startswith(NEEDED_FOR_THE_PAGE):
                    self.requests.append(url)
            case (("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded"), told):
                self.complaints.append(json.dumps(told)[:500])
        return message


@asynccontextmanager
async def page(program: str, folder: Path) -> AsyncIterator[Page]:
    """A tab of a browser of its own, whose profile lies in `folder`."""
    profile = folder / "profile"
    command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            async with aiohttp.ClientSession() as session:
                address = await _address(session, profile / "DevToolsActivePort")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            process.wait(20)


async def _address(session: aiohttp.ClientSession, file: Path) -> str:
    async with asyncio.timeout(60):
        while not (file.exists() and len(file.read_text().splitlines()) > 1):
            await asyncio.sleep(0.05)
        port = file.read_text().splitlines()[0]
        while True:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                tabs = [tab for tab in await response.json() if tab["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
