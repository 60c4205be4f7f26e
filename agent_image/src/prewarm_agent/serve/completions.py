"""`POST /v1/chat/completions`: the client sends the whole conversation, the agent answers its last message."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.run import Ended, Run
from prewarm_agent.framework.blueprint import Blueprint
from prewarm_agent.framework.session import Answer, Delta, Session, Turn
from prewarm_agent.serve.asgi import Receive, Send, send_json
from prewarm_agent.serve.errors import APIError, from_exception
from prewarm_agent.spec.validation import explain

# Proxies give up on a connection that is silent for a minute.
HEARTBEAT_SECONDS = 15.0

_SSE_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
]


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    def as_turn(self) -> Turn:
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Turn("system" if self.role == "developer" else self.role, text, self.name)


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """The fields that mean something to an agent. Sampling parameters are the spec's business and are ignored."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[Any] | None = None


class Completions:
    """The endpoint, for the one agent called `name`."""

    def __init__(self, name: str, blueprint: Blueprint, gate: Gate, *, request_timeout_seconds: float) -> None:
        self._name = name
        self._blueprint = blueprint
        self._gate = gate
        self._request_timeout_seconds = request_timeout_seconds
        self._runs: set[Run[Delta | Answer]] = set()

    def end_all(self) -> None:
        """Ends every run, waiting ones included; their clients are told to try again."""
        for run in list(self._runs):
            run.end(Ended.DRAINED)

    async def answer(self, body: bytes, receive: Receive, send: Send) -> None:
        """Answers one request whose body was read. Raises APIError as long as nothing has been sent."""
        request = self._parse(body)
        turns = [message.as_turn() for message in request.messages]
        session = Session(self._blueprint, turns, stream=bool(request.stream))
        run: Run[Delta | Answer] = Run(session, self._gate, deadline_seconds=self._request_timeout_seconds)
        self._runs.add(run)
        run.on_done(self._runs.discard)
        # With the body read, the next thing that a client can say is that it is gone.
        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(lambda _: run.end(Ended.DISCONNECTED))
        try:
            if request.stream:
                usage = bool(request.stream_options and request.stream_options.include_usage)
                await self._stream(run, send, include_usage=usage)
            else:
                await self._plain(run, send)
        except Exception as error:
            raise from_exception(error) from error
        finally:
            gone.cancel()

    def _parse(self, body: bytes) -> ChatRequest:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise APIError(400, "The body is not JSON.", code="invalid_json") from None
        request, fault = explain(ChatRequest, value)
        if request is None:
            assert fault is not None
            raise APIError(400, str(fault), param=fault.path or None, code="invalid_value")
        if request.model != self._name:
            text = f"model: {request.model!r} is not served here; use {self._name!r}."
            raise APIError(404, text, param="model", code="model_not_found")
        if request.messages[-1].role != "user":
            param = f"messages[{len(request.messages) - 1}].role"
            raise APIError(400, f"{param}: the last message must be the user's.", param=param, code="invalid_value")
        if request.tools:
            raise APIError(400, "tools: the agent has its own; leave the field out.", param="tools", code="unsupported")
        if request.n not in (None, 1):
            raise APIError(400, "n: an agent gives one answer; leave the field out.", param="n", code="unsupported")
        return request

    async def _plain(self, run: Run[Delta | Answer], send: Send) -> None:
        answer = None
        async for event in run:
            if isinstance(event, Answer):
                answer = event
        assert answer is not None  # a session raises where it has no answer
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        body = {**self._head("chat.completion"), "choices": [choice]}
        if (usage := _usage(answer)) is not None:
            body["usage"] = usage
        await send_json(send, 200, body)

    async def _stream(self, run: Run[Delta | Answer], send: Send, *, include_usage: bool) -> None:
        head = self._head("chat.completion.chunk")

        async def emit(content: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": content, "more_body": more})

        events = _with_heartbeats(run)
        # An error before the first event still has a status of its own.
        event = await anext(events)
        await send({"type": "http.response.start", "status": 200, "headers": _SSE_HEADERS})
        await emit(_chunk(head, {"role": "assistant", "content": ""}))
        answer: Answer | None = None
        try:
            while True:
                if isinstance(event, Delta):
                    await emit(_chunk(head, {"content": event.text}))
                elif isinstance(event, Answer):
                    answer = event
                else:
                    await emit(b": working\n\n")
                event = await anext(events)
        except StopAsyncIteration:
            await emit(_chunk(head, {}, finish_reason="stop"))
            if include_usage and answer and (usage := _usage(answer)) is not None:
                await emit(_event({**head, "choices": [], "usage": usage}))
            await emit(b"data: [DONE]\n\n", more=False)
        except Exception as error:
            # Too late for a status: the error is the last event, and no [DONE] follows.
            fault = from_exception(error)
            await emit(_event(fault.body()), more=False)
            raise fault from error

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": self._name}


async def _with_heartbeats(run: Run[Delta | Answer]) -> AsyncIterator[Delta | Answer | None]:
    """The events of a run, and None whenever there was none for a while."""
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS) as patience:
                event = await anext(run)
        except TimeoutError:
            if not patience.expired():
                raise  # the run's own
            yield None
        except StopAsyncIteration:
            return
        else:
            yield event


def _chunk(head: dict[str, Any], delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event({**head, "choices": [choice]})


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _usage(answer: Answer) -> dict[str, int] | None:
    if answer.prompt_tokens is None or answer.completion_tokens is None:
        return None
    total = answer.prompt_tokens + answer.completion_tokens
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": total,
    }
