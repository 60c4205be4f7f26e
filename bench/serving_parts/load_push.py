"""How soon the operator knows of a change of the load."""

import asyncio
import json
import time
from pathlib import Path

import httpx
from lib import servers
from lib.closed_loop import percentile
from lib.report import Figure

CHANGES = 200
MODEL_SECONDS = 0.05
# Longer than the stream gathers changes for one line, so that each change has a line of its own.
PAUSE_SECONDS = 0.1

MEANINGS = {"load_push_p99_ms": "from a request's being sent until the line of /load that counts it (at most 50)"}


async def measure(folder: Path) -> dict[str, Figure]:
    async with servers.model(MODEL_SECONDS) as model, servers.agent(folder, servers.assistant(model.url)) as agent:
        seen: asyncio.Queue[tuple[float, int]] = asyncio.Queue()
        watching = asyncio.create_task(_watch(f"{agent.probe_url}/load?watch=1", seen))
        await seen.get()  # the present state
        seconds = [await _one(agent.url, seen) for _ in range(CHANGES)]
        watching.cancel()
    return {"load_push_p99_ms": percentile(seconds, 99) * 1000}


async def _watch(url: str, seen: "asyncio.Queue[tuple[float, int]]") -> None:
    async with httpx.AsyncClient(timeout=None) as http, http.stream("GET", url) as lines:
        async for line in lines.aiter_lines():
            seen.put_nowait((time.perf_counter(), json.loads(line)["in_flight"]))


async def _one(url: str, seen: "asyncio.Queue[tuple[float, int]]") -> float:
    body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
    async with httpx.AsyncClient() as http:
        sent = time.perf_counter()
        asking = asyncio.create_task(http.post(url + servers.COMPLETIONS, json=body))
        counted = await _until(1, seen)
        await asking
        await _until(0, seen)
    await asyncio.sleep(PAUSE_SECONDS)
    return counted - sent


async def _until(in_flight: int, seen: "asyncio.Queue[tuple[float, int]]") -> float:
    while True:
        at, value = await seen.get()
        if value == in_flight:
            return at
