"""A model's API on loopback, real HTTP: it says what it was shown, and misbehaves when the last message tells it to.

Speaks the wire formats of OpenAI, Azure, Anthropic (`/v1/messages`) and Ollama (`/api/chat`); `url` ends in /v1.
"""

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route


@dataclass
class ModelServer:
    """`url` is the base URL for a client. Answers "heard N: <last user message>", N being the number of messages.

    In the last message, `SLEEP=0.5` delays the answer, `PACE=0.5` each word of a streamed one, `STATUS=429`
    refuses (`RETRY_AFTER=7` with that header), `HTML` or `PLAIN` answers 502 with a page or a line of text, `PAGE` 200
    with a page, `LIE` 200 with an error in it, `CUT` breaks a stream off in its middle and `SPOIL` puts an error there,
    `BARE` leaves the usage out and adds unknown fields, `FILTERED` begins a stream as Azure does, with a chunk without
    choices, and `NULL` ends it with one that says `"usage": null`. `DEAF=5` works on for so long, whoever is gone.
    `CALL=add {"a": 1}` calls a tool; once its result is there, the answer quotes it.

    `refuses` is what the server does not take in messages, as some do: "name" (422) or "system" (400). `list_status`
    answers the list of models; 301 leads to the page of a login.
    """

    url: str = ""
    conversations: list[list[dict[str, Any]]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    lists: int = 0
    aborted: int = 0
    streaming: int = 0
    working: int = 0
    refuses: str = ""
    list_status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Clears the record."""
        self.conversations.clear()
        self.connections.clear()
        self.bodies.clear()
        self.headers.clear()
        self.paths.clear()
        self.lists = self.aborted = 0
        self.refuses, self.list_status = "", 200

    async def models(self, request: Request) -> Response:
        self.connections.add(request.client)
        self.lists += 1
        if self.list_status == 301:
            return RedirectResponse("/login", 301)
        return JSONResponse({"object": "list", "data": []}, self.list_status)

    async def login(self, _: Request) -> Response:
        return HTMLResponse("<html><body>Please log in</body></html>")

    async def complete(self, request: Request) -> Response:
        return await self._answer(request, _OpenAI)

    async def messages(self, request: Request) -> Response:
        return await self._answer(request, _Anthropic)

    async def chat(self, request: Request) -> Response:
        return await self._answer(request, _Ollama)

    async def _answer(self, request: Request, wire: "type[_Wire]") -> Response:
        self.connections.add(request.client)
        self.headers.append(dict(request.headers))
        self.paths.append(str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""))
        body = await request.json()
        self.bodies.append(body)
        self.conversations.append(body["messages"])
        if refused := self._refusal(body["messages"]):
            return refused
        last = next(text for m in reversed(body["messages"]) if m["role"] == "user" and (text := _text(m)))
        if odd := _misbehaviour(last, wire):
            return odd
        if sleep := re.search(r"SLEEP=([\d.]+)", last):
            await self._sleep(float(sleep[1]), request)
        if deaf := re.search(r"DEAF=([\d.]+)", last):
            self.working += 1
            await asyncio.sleep(float(deaf[1]))
            self.working -= 1
        result = _tool_result(body["messages"][-1])
        call = re.search(r"CALL=(\w+) ({.*})", last)
        if call and result is None:
            return wire(body).call(call[1], json.loads(call[2]))
        text = f"heard {len(body['messages'])}: {last if result is None else result}"
        if not wire.streams(body):
            return wire(body).plain(text, bare="BARE" in last)
        events = wire(body).events(text, last)
        if "SPOIL" in last:
            events = wire.spoiled(events)
        return StreamingResponse(self._counted(events), media_type=wire.media_type)

    def _refusal(self, messages: list[dict[str, Any]]) -> Response | None:
        if self.refuses == "name" and any("name" in message for message in messages):
            return JSONResponse({"detail": [{"loc": ["messages", 1, "name"], "msg": "name is not permitted"}]}, 422)
        if self.refuses == "system" and any(message["role"] == "system" for message in messages):
            return JSONResponse({"error": {"message": "'system' is not supported with this model"}}, 400)
        return None

    async def _counted(self, events: AsyncIterator[str]) -> AsyncIterator[str]:
        self.streaming += 1
        try:
            async for event in events:
                yield event
        finally:
            self.streaming -= 1

    async def _sleep(self, seconds: float, request: Request) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            if await request.is_disconnected():
                self.aborted += 1
                return
            await asyncio.sleep(min(left, 0.02))


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _tool_result(message: dict[str, Any]) -> str | None:
    if message["role"] == "tool":
        return str(message["content"])
    if isinstance(message["content"], list) and message["content"][0].get("type") == "tool_result":
        content = message["content"][0]["content"]
        return content if isinstance(content, str) else str(content[0]["text"])
    return None


def _misbehaviour(last: str, wire: "type[_Wire]") -> Response | None:
    if status := re.search(r"STATUS=(\d+)", last):
        retry = re.search(r"RETRY_AFTER=(\d+)", last)
        return JSONResponse(wire.error, int(status[1]), {"retry-after": retry[1]} if retry else None)
    if "HTML" in last:
        return HTMLResponse("<!DOCTYPE html><html><body>Bad gateway</body></html>", 502)
    if "PLAIN" in last:
        return PlainTextResponse("upstream connect error", 502)
    if "PAGE" in last:
        return HTMLResponse("<html><body>Please log in</body></html>")
    if "LIE" in last:
        return JSONResponse({"error": {"message": "told to lie", "code": 429}})
    return None


async def _paced(text: str, last: str) -> AsyncIterator[str]:
    for number, word in enumerate(re.findall(r"\S+\s*", text)):
        yield word
        if pace := re.search(r"PACE=([\d.]+)", text):
            await asyncio.sleep(float(pace[1]))
        if "CUT" in last and number == 1:
            raise ConnectionAbortedError


class _Wire(ABC):
    """How one vendor writes an answer to the request `body`."""

    error: ClassVar[dict[str, Any]] = {"error": {"message": "told to refuse"}}
    error_event = 'data: {"error": {"message": "told to spoil", "code": 429}}\n\n'
    media_type = "text/event-stream"

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body

    @classmethod
    def streams(cls, body: dict[str, Any]) -> bool:
        return bool(body.get("stream"))

    @classmethod
    async def spoiled(cls, events: AsyncIterator[str]) -> AsyncIterator[str]:
        for _ in range(3):
            yield await anext(events)
        yield cls.error_event

    @abstractmethod
    def plain(self, text: str, *, bare: bool) -> Response: ...

    @abstractmethod
    def call(self, name: str, arguments: dict[str, Any]) -> Response: ...

    @abstractmethod
    def events(self, text: str, last: str) -> AsyncIterator[str]: ...


class _OpenAI(_Wire):
    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.body.get("model", "a-deployment")}

    def plain(self, text: str, *, bare: bool) -> Response:
        message = {"role": "assistant", "content": text}
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        if bare:
            message["reasoning_content"] = "odd"
            return JSONResponse({**self._head("chat.completion"), "choices": [{**choice, "odd": 1}], "x_odd": {}})
        return JSONResponse({**self._head("chat.completion"), "choices": [choice], "usage": usage})

    def call(self, name: str, arguments: dict[str, Any]) -> Response:
        function = {"name": name, "arguments": json.dumps(arguments)}
        message = {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call-1", "type": "function", "function": function}
        ]}  # fmt: skip
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        return JSONResponse({**self._head("chat.completion"), "choices": [choice], "usage": usage})

    async def events(self, text: str, last: str) -> AsyncIterator[str]:
        head = self._head("chat.completion.chunk")
        if "FILTERED" in last:
            yield f"data: {json.dumps({**head, 'choices': [], 'prompt_filter_results': []})}\n\n"
        async for word in _paced(text, last):
            choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
        yield f"data: {json.dumps({**head, 'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'stop'}]})}\n\n"
        if "NULL" in last:
            yield f"data: {json.dumps({**head, 'choices': [], 'usage': None})}\n\n"
        elif (self.body.get("stream_options") or {}).get("include_usage") and "BARE" not in last:
            usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
            yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\n"
        yield "data: [DONE]\n\n"


class _Anthropic(_Wire):
    error: ClassVar = {"type": "error", "error": {"type": "some_error", "message": "told to refuse"}}
    error_event = (
        'event: error\ndata: {"type": "error", "error": {"type": "rate_limit_error", "message": "told to spoil"}}\n\n'
    )

    def _message(self, content: list[dict[str, Any]], stop_reason: str | None) -> dict[str, Any]:
        head = {"id": "msg-1", "type": "message", "role": "assistant", "model": self.body["model"]}
        usage = {"input_tokens": 3, "output_tokens": 4}
        return {**head, "content": content, "stop_reason": stop_reason, "stop_sequence": None, "usage": usage}

    def plain(self, text: str, *, bare: bool) -> Response:
        return JSONResponse(self._message([{"type": "text", "text": text}], "end_turn"))

    def call(self, name: str, arguments: dict[str, Any]) -> Response:
        use = {"type": "tool_use", "id": "call-1", "name": name, "input": arguments}
        return JSONResponse(self._message([use], "tool_use"))

    async def events(self, text: str, last: str) -> AsyncIterator[str]:
        def event(kind: str, **fields: Any) -> str:
            return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

        yield event("message_start", message=self._message([], None))
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        async for word in _paced(text, last):
            yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
        yield event("content_block_stop", index=0)
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        yield event("message_delta", delta=end, usage={"output_tokens": 4})
        yield event("message_stop")


class _Ollama(_Wire):
    error: ClassVar = {"error": "told to refuse"}
    error_event = '{"error": "told to spoil"}\n'
    media_type = "application/x-ndjson"

    def _line(self, done: bool, **message: Any) -> dict[str, Any]:
        end = {"done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4} if done else {}
        head = {"model": self.body["model"], "created_at": "2026-01-01T00:00:00Z"}
        return {**head, "message": {"role": "assistant", **message}, "done": done, **end}

    def plain(self, text: str, *, bare: bool) -> Response:
        return JSONResponse(self._line(True, content=text))

    def call(self, name: str, arguments: dict[str, Any]) -> Response:
        function = {"name": name, "arguments": arguments}
        return JSONResponse(self._line(True, content="", tool_calls=[{"function": function}]))

    async def events(self, text: str, last: str) -> AsyncIterator[str]:
        async for word in _paced(text, last):
            yield json.dumps(self._line(False, content=word)) + "\n"
        yield json.dumps(self._line(True, content="")) + "\n"


@asynccontextmanager
async def model_server(port: int = 0) -> AsyncIterator[ModelServer]:
    state = ModelServer()
    routes = [
        Route("/v1/models", state.models),
        Route("/login", state.login),
        Route("/v1/chat/completions", state.complete, methods=["POST"]),
        Route("/openai/deployments/{deployment}/chat/completions", state.complete, methods=["POST"]),
        Route("/v1/messages", state.messages, methods=["POST"]),
        Route("/api/tags", state.models),
        Route("/api/chat", state.chat, methods=["POST"]),
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
