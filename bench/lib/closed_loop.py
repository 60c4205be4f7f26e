"""A fixed number of clients, each of which asks again as soon as it has its answer."""

import asyncio
import json
import time
from collections.abc import Sequence

from prewarm_demo.load.http import PooledClient

BODY = json.dumps({"model": "support", "messages": [{"role": "user", "content": "hello"}]}).encode()


async def ask(url: str, *, clients: int, requests: int, body: bytes = BODY, status: int = 200) -> list[float]:
    """POST `body` that often in all; returns how long each took, in seconds. Any other status ends the benchmark."""
    pool = PooledClient(url)
    left = iter(range(requests))
    seconds: list[float] = []

    async def client() -> None:
        for _ in left:
            began = time.perf_counter()
            response = await pool.post(body)
            seconds.append(time.perf_counter() - began)
            if response.status != status:
                raise RuntimeError(f"{url} answered {response.status}: {response.body[:200]!r}")

    await asyncio.gather(*(client() for _ in range(clients)))
    pool.close()
    return seconds


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
