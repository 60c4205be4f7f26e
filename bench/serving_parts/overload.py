"""How soon a full agent says that it is full."""

import asyncio
import json
from pathlib import Path

from lib import servers
from lib.closed_loop import ask, percentile
from lib.report import Figure
from lib.silent_model import silent_model

LIMIT = 8
QUEUE = 2
CLIENTS = 16
REQUESTS = 2_000

MEANINGS = {"reject_p99_ms": "of a 429, connection included, 16 clients at once on an agent that is full (<= 100)"}


async def measure(folder: Path) -> dict[str, Figure]:
    async with (
        silent_model() as model,
        servers.agent(folder, servers.assistant(model.url), concurrencyLimit=LIMIT) as agent,
    ):
        url = agent.url + servers.COMPLETIONS
        holding = [asyncio.create_task(ask(url, clients=1, requests=1, body=_body(n))) for n in range(LIMIT + QUEUE)]
        for _ in range(LIMIT):
            await model.calls.get()
        await asyncio.sleep(0.5)  # what is left of them waits in the queue by then, for 5 s
        seconds = await ask(url, clients=CLIENTS, requests=REQUESTS, body=_body(0), status=429)
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
    return {"reject_p99_ms": percentile(seconds, 99) * 1000}


def _body(number: int) -> bytes:
    return json.dumps({"model": "support", "messages": [{"role": "user", "content": f"request {number}"}]}).encode()
