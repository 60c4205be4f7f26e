"""How soon a team stops its call of the model when its client has gone."""

import asyncio
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from lib import servers
from lib.closed_loop import percentile
from lib.report import Figure
from lib.silent_model import silent_model

AT_A_TIME = 20
ROUNDS = 10

MEANINGS = {
    "cancel_p99_ms": "from a client's going away until its team has dropped the call of the model, 20 at once (<= 100)"
}


async def measure(folder: Path) -> dict[str, Figure]:
    async with silent_model() as model, servers.agent(folder, servers.team(model.url)) as agent:
        seconds: list[float] = []
        for number in range(ROUNDS):
            texts = [f"request {number * AT_A_TIME + each}" for each in range(AT_A_TIME)]
            clients = {text: await _ask(agent.url, text) for text in texts}
            for _ in texts:
                await model.calls.get()
            left = {}
            for text, client in clients.items():
                left[text] = time.perf_counter()
                client.close()
            seconds += [await model.gone[text] - left[text] for text in texts]
    return {"cancel_p99_ms": percentile(seconds, 99) * 1000}


async def _ask(url: str, text: str) -> asyncio.StreamWriter:
    """A connection on which a request was sent."""
    address = urlsplit(url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    body = json.dumps({"model": "support", "messages": [{"role": "user", "content": text}]}).encode()
    writer.write(b"POST %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (servers.COMPLETIONS.encode(), len(body), body))
    await writer.drain()
    return writer
