"""Sends every arrival when it is due, whatever became of those before it, and keeps a record of each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from prewarm_demo.load.arrivals import Arrival
from prewarm_demo.load.http import BrokenConnectionError, PooledClient, Response
from prewarm_demo.load.records import OK, Record

# What OpenAI's SDK waits before it asks again for the first time, where the answer does not say how long.
RETRY_SECONDS = 0.5


class Generator:
    """Load on one URL by several clients, each with a connection pool of its own, as separate processes would have.

    Each request carries a text of its own and its answer must end with it, so an answer that belongs to somebody else
    is a failure. So is a request not answered `timeout_seconds` after it was due. `retries` is how often a request is
    sent again that was answered 429, after as long as the answer asks for, as OpenAI's SDK does; nothing else is.
    """

    def __init__(
        self, url: str, *, clients: int, timeout_seconds: float, model: str = "support", retries: int = 0
    ) -> None:
        self._clients = [PooledClient(url) for _ in range(clients)]
        self._timeout_seconds = timeout_seconds
        self._model = model
        self._retries = retries
        self._began_seconds = 0.0
        self.sent = 0
        self.records: list[Record] = []

    async def run(self, arrivals: Sequence[Arrival]) -> list[Record]:
        """Send all arrivals and return their records in order of arrival, when the last of them has ended."""
        loop = asyncio.get_running_loop()
        self._began_seconds = loop.time()
        requests: list[asyncio.Task[Record]] = []
        for number, arrival in enumerate(arrivals):
            wait_seconds = self._began_seconds + arrival.due_seconds - loop.time()
            if wait_seconds > 0:
                await asyncio.sleep(wait_seconds)
            requests.append(asyncio.create_task(self._request(number, arrival)))
            self.sent += 1
        records = await asyncio.gather(*requests)
        for client in self._clients:
            client.close()
        return records

    def elapsed_seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._began_seconds

    async def _request(self, number: int, arrival: Arrival) -> Record:
        lag_seconds = self.elapsed_seconds() - arrival.due_seconds
        outcome = await self._send(self._clients[arrival.client], f"request {number}", arrival.due_seconds)
        latency_seconds = self.elapsed_seconds() - arrival.due_seconds
        record = Record(arrival.due_seconds, lag_seconds, latency_seconds, outcome)
        self.records.append(record)
        return record

    async def _send(self, client: PooledClient, text: str, due_seconds: float) -> str:
        body = json.dumps({"model": self._model, "messages": [{"role": "user", "content": text}]}).encode()
        try:
            async with asyncio.timeout_at(self._began_seconds + due_seconds + self._timeout_seconds):
                response = await self._post(client, body)
        except TimeoutError:
            return "timeout"
        except BrokenConnectionError:
            return "broken"
        except OSError:
            return "refused"
        if response.status != 200:
            return f"status {response.status}"
        return OK if _answers(response, text) else "wrong answer"

    async def _post(self, client: PooledClient, body: bytes) -> Response:
        response = await client.post(body)
        for _ in range(self._retries):
            if response.status != 429:
                break
            await asyncio.sleep(response.retry_after_seconds or RETRY_SECONDS)
            response = await client.post(body)
        return response


def _answers(response: Response, text: str) -> bool:
    try:
        content = json.loads(response.body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        return False
    # The echo ends with what it was asked, after a colon, so that "request 12" does not pass for "request 2".
    return isinstance(content, str) and content.endswith(f":{text}")
