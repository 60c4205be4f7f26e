"""The pattern users come from, a model client and an agent built for every request, against a warm agent."""

import time
from pathlib import Path

from lib import servers
from lib.closed_loop import ask, percentile
from lib.report import Figure

CLIENTS = 64
REQUESTS_PER_REQUEST_CLIENTS, REQUESTS_OURS = 1_000, 8_000

MEANINGS = {
    "throughput_over_per_request_clients": "requests a second over those of the pattern, 64 concurrent (at least 7)",
    "p99_per_request_clients_over_ours": "its 99th percentile over ours, 64 concurrent (at least 5)",
}


async def measure(folder: Path) -> dict[str, Figure]:
    async with servers.model() as model:
        async with servers.per_request_clients(model.url) as pattern:
            theirs_rps, theirs_p99 = await _load(pattern.url, REQUESTS_PER_REQUEST_CLIENTS)
        async with servers.agent(folder, servers.assistant(model.url)) as agent:
            ours_rps, ours_p99 = await _load(agent.url, REQUESTS_OURS)
    return {
        "throughput_over_per_request_clients": ours_rps / theirs_rps,
        "p99_per_request_clients_over_ours": theirs_p99 / ours_p99,
    }


async def _load(url: str, requests: int) -> tuple[float, float]:
    """Requests a second and the 99th percentile in seconds, after a tenth of the requests."""
    url += servers.COMPLETIONS
    await ask(url, clients=CLIENTS, requests=requests // 10)
    began = time.perf_counter()
    seconds = await ask(url, clients=CLIENTS, requests=requests)
    return requests / (time.perf_counter() - began), percentile(seconds, 99)
