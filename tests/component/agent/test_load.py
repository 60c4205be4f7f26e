"""GET /load?watch=1 over real HTTP: what requests, refusals, model errors and a drain make it say."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import openai
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec

Line = dict[str, Any]


class Watcher:
    """Keeps the lines of a stream; `ended` when the server has ended it."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines: list[Line] = []
        self.ended = False
        self.reading = asyncio.create_task(self._read(response))

    async def _read(self, response: httpx.Response) -> None:
        async for line in response.aiter_lines():
            self.lines.append(json.loads(line))
        self.ended = True

    async def until(self, condition: Callable[[Line], object]) -> None:
        """Returns when a line has come for which it is true."""
        async with asyncio.timeout(30):
            while not any(condition(line) for line in self.lines):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(agent: AgentProcess) -> AsyncIterator[Watcher]:
    url = f"http://127.0.0.1:{agent.probe_port}/load?watch=1"
    async with httpx.AsyncClient(timeout=30) as client, client.stream("GET", url) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        watcher = Watcher(response)
        try:
            yield watcher
        finally:
            watcher.reading.cancel()


async def test_what_runs_waits_and_is_refused_is_told(model: ModelServer) -> None:
    async with running(spec(assistant(model.url), concurrencyLimit=2)) as agent:
        await agent.warm()
        async with watching(agent) as watcher:
            await watcher.until(lambda line: line["state"] == "warm" and (line["limit"], line["queue_limit"]) == (2, 1))
            held = [asyncio.create_task(agent.ask(f"hello {number} SLEEP=1")) for number in range(3)]
            await watcher.until(lambda line: (line["in_flight"], line["queued"]) == (2, 1))
            with pytest.raises(openai.RateLimitError):
                await agent.ask("one too many")
            await watcher.until(lambda line: line["refused"] == 1)
            await asyncio.gather(*held)
            await watcher.until(lambda line: line["refused"] and (line["in_flight"], line["queued"]) == (0, 0))


async def test_errors_of_the_models_api_are_told(agent: AgentProcess, model: ModelServer) -> None:
    async with watching(agent) as watcher:
        with pytest.raises(openai.APIStatusError):
            await agent.ask("hello STATUS=500")
        await watcher.until(lambda line: line["upstream_error_share"] > 0)
        assert all(line["refused"] == 0 for line in watcher.lines)


async def test_the_last_line_is_that_of_the_drain(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent:
        await agent.warm()
        async with watching(agent) as watcher:
            await watcher.until(lambda line: line["state"] == "warm")
            agent.terminate()
            async with asyncio.timeout(30):
                await watcher.reading
            assert watcher.ended
            assert watcher.lines[-1]["state"] == "draining"
        assert await agent.exit_code() == 0


async def test_a_watcher_that_leaves_makes_room(agent: AgentProcess) -> None:
    for _ in range(10):
        async with watching(agent) as watcher:
            await watcher.until(lambda line: line["state"] == "warm")
