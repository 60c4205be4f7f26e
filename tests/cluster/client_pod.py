"""Runs in a pod, on the demo's image: sends requests through Services and says what became of each.

GET    /ask?url=...&model=...&text=...              one request: {"status": 200, "text": "..."}; 0 is no answer
POST   /traffic/{name}?url=...&model=...&rate=30    start steady traffic, `rate` requests a second
GET    /traffic/{name}                              what became of it so far
DELETE /traffic/{name}                              stop, wait for what is under way, and say what became of it all

Traffic is open-loop and no request is ever repeated. Six clients keep their connections; every fifth request comes on a
connection of its own. Each request carries its own text, which its answer must end with.
"""

import asyncio
import itertools
import json
from collections import Counter
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from prewarm_demo.load.http import BrokenConnectionError, PooledClient, Response

PORT = 8000
KEEPALIVE_CLIENTS = 6
TIMEOUT_SECONDS = 30.0
FAILURES_KEPT = 50


class Traffic:
    def __init__(self, url: str, model: str, rate_per_second: float) -> None:
        self._url = url
        self._model = model
        self._rate_per_second = rate_per_second
        self._clients = [PooledClient(url) for _ in range(KEEPALIVE_CLIENTS)]
        self._began_seconds = asyncio.get_running_loop().time()
        self._under_way: set[asyncio.Task[None]] = set()
        self._outcomes: Counter[str] = Counter()
        self._failures: list[dict[str, Any]] = []
        self._sending = asyncio.create_task(self._send())

    async def stop(self) -> None:
        self._sending.cancel()
        await asyncio.gather(*self._under_way)
        for client in self._clients:
            client.close()

    def report(self) -> dict[str, Any]:
        return {
            "elapsed_seconds": self._elapsed_seconds(),
            "outcomes": dict(self._outcomes),
            "failures": self._failures[:FAILURES_KEPT],
        }

    def _elapsed_seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._began_seconds

    async def _send(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(number / self._rate_per_second - self._elapsed_seconds())
            task = asyncio.create_task(self._request(number))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _request(self, number: int) -> None:
        sent_seconds = self._elapsed_seconds()
        own_connection = number % 5 == 0
        client = PooledClient(self._url) if own_connection else self._clients[number % KEEPALIVE_CLIENTS]
        outcome = await self._outcome(client, f"request {number}")
        if own_connection:
            client.close()
        self._outcomes[outcome] += 1
        if outcome != "ok":
            failure = {"outcome": outcome, "sent_seconds": sent_seconds, "ended_seconds": self._elapsed_seconds()}
            self._failures.append(failure)

    async def _outcome(self, client: PooledClient, text: str) -> str:
        try:
            response = await post(client, self._model, text)
        except TimeoutError:
            return "timeout"
        except BrokenConnectionError as error:
            return f"broken: {error}"
        except OSError as error:
            return f"refused: {error}"
        if response.status != 200:
            return f"status {response.status}"
        return "ok" if answer(response).endswith(f":{text}") else "wrong answer"


async def post(client: PooledClient, model: str, text: str) -> Response:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    async with asyncio.timeout(TIMEOUT_SECONDS):
        return await client.post(json.dumps(body).encode())


def answer(response: Response) -> str:
    return str(json.loads(response.body)["choices"][0]["message"]["content"])


traffic: dict[str, Traffic] = {}


async def ask(request: Request) -> JSONResponse:
    order = request.query_params
    client = PooledClient(order["url"])
    try:
        response = await post(client, order["model"], order["text"])
    except OSError as error:
        return JSONResponse({"status": 0, "text": repr(error)})
    finally:
        client.close()
    text = answer(response) if response.status == 200 else response.body.decode()
    return JSONResponse({"status": response.status, "text": text})


async def start(request: Request) -> JSONResponse:
    order = request.query_params
    begun = Traffic(order["url"], order["model"], float(order["rate"]))
    traffic[request.path_params["name"]] = begun
    return JSONResponse(begun.report())


async def read(request: Request) -> JSONResponse:
    return JSONResponse(traffic[request.path_params["name"]].report())


async def stop(request: Request) -> JSONResponse:
    ended = traffic.pop(request.path_params["name"])
    await ended.stop()
    return JSONResponse(ended.report())


if __name__ == "__main__":
    routes = [
        Route("/ask", ask),
        Route("/traffic/{name}", start, methods=["POST"]),
        Route("/traffic/{name}", read, methods=["GET"]),
        Route("/traffic/{name}", stop, methods=["DELETE"]),
    ]
    uvicorn.run(Starlette(routes=routes), host="0.0.0.0", port=PORT, loop="uvloop", access_log=False)
