"""A model's API on loopback, real HTTP: it says what it was shown, and misbehaves when the last message tells it to."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass
class ModelServer:
    """`url` is the base URL for a client. Answers "heard N: <last user message>", N being the number of messages.

    In the last message, `SLEEP=0.5` delays the answer, `PACE=0.5` each word of a streamed one, `STATUS=429`
    refuses, `CUT` breaks a stream off in its middle.
    """

    url: str = ""
    conversations: list[list[dict[str, Any]]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    lists: int = 0
    aborted: int = 0

    def forget(self) -> None:
        """Clears the record."""
        self.conversations.clear()
        self.connections.clear()
        self.lists = self.aborted = 0

    async def models(self, request: Request) -> Response:
        self.connections.add(request.client)
        self.lists += 1
        return JSONResponse({"object": "list", "data": []})

    async def complete(self, request: Request) -> Response:
        self.connections.add(request.client)
        body = await request.json()
        self.conversations.append(body["messages"])
        last = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
        if status := re.search(r"STATUS=(\d+)", last):
            return JSONResponse({"error": {"message": "told to refuse"}}, int(status[1]))
        if sleep := re.search(r"SLEEP=([\d.]+)", last):
            await self._sleep(float(sleep[1]), request)
        text = f"heard {len(body['messages'])}: {last}"
        if body.get("stream"):
            return StreamingResponse(_events(body, text, cut="CUT" in last), media_type="text/event-stream")
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        return JSONResponse({**_head(body, "chat.completion"), "choices": [choice], "usage": usage})

    async def _sleep(self, seconds: float, request: Request) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            if await request.is_disconnected():
                self.aborted += 1
                return
            await asyncio.sleep(min(left, 0.02))


async def _events(body: dict[str, Any], text: str, *, cut: bool) -> AsyncIterator[str]:
    head = _head(body, "chat.completion.chunk")
    words = re.findall(r"\S+\s*", text)
    for number, word in enumerate(words):
        choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
        yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
        if pace := re.search(r"PACE=([\d.]+)", text):
            await asyncio.sleep(float(pace[1]))
        if cut and number == 1:
            raise ConnectionAbortedError
    yield f"data: {json.dumps({**head, 'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'stop'}]})}\n\n"
    if (body.get("stream_options") or {}).get("include_usage"):
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"]}


@asynccontextmanager
async def model_server(port: int = 0) -> AsyncIterator[ModelServer]:
    state = ModelServer()
    routes = [
        Route("/v1/models", state.models),
        Route("/v1/chat/completions", state.complete, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    state.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    try:
        yield state
    finally:
        server.force_exit = server.should_exit = True
        await serving
