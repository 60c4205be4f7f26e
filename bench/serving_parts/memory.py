"""Whether requests leave anything behind."""

import json
from pathlib import Path

from lib import servers
from lib.closed_loop import BODY, ask
from lib.report import Figure

CLIENTS = 16
FIRST, LATER = 1_000, 10_000

MEANINGS = {
    "rss_growth_mib_10k_requests": "resident memory after 11,000 requests over that after 1,000, half streamed (<= 5)"
}


async def measure(folder: Path) -> dict[str, Figure]:
    async with servers.model() as model, servers.agent(folder, servers.assistant(model.url)) as agent:
        await _mixed(agent.url, FIRST)
        before = agent.rss_mib()
        await _mixed(agent.url, LATER)
        return {"rss_growth_mib_10k_requests": agent.rss_mib() - before}


async def _mixed(url: str, requests: int) -> None:
    url += servers.COMPLETIONS
    await ask(url, clients=CLIENTS, requests=requests // 2)
    await ask(
        url, clients=CLIENTS, requests=requests // 2, body=json.dumps({**json.loads(BODY), "stream": True}).encode()
    )
