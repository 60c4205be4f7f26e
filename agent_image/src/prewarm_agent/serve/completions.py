"""`POST /v1/chat/completions`: the client sends the whole conversation, the agent answers its last message."""

import time
import uuid
from typing import Any

from prewarm_agent.admission.run import Run
from prewarm_agent.framework.blueprint import Blueprint
from prewarm_agent.framework.session import Answer, Delta, Session
from prewarm_agent.serve.asgi import Receive, Scope, Send, send_json
from prewarm_agent.serve.chat_request import parse
from prewarm_agent.serve.errors import from_exception
from prewarm_agent.serve.event_stream import EventStream
from prewarm_agent.serve.running import Running, with_heartbeats


class Completions:
    """The endpoint, for the one agent called `name`."""

    def __init__(self, name: str, blueprint: Blueprint, running: Running) -> None:
        self._name = name
        self._blueprint = blueprint
        self._running = running

    async def answer(self, _: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Answers one request whose body was read. Raises APIError; a streamed answer has told the client by then."""
        request = parse(body, self._name)
        turns = [message.as_turn() for message in request.messages]
        session = Session(self._blueprint, turns, stream=bool(request.stream))
        async with self._running.run(session, receive) as run:
            if request.stream:
                options = request.stream_options
                await self._stream(run, send, include_usage=bool(options and options.include_usage))
            else:
                await self._plain(run, send)

    async def _plain(self, run: Run[Delta | Answer], send: Send) -> None:
        answer = None
        async for event in run:
            if isinstance(event, Answer):
                answer = event
        assert answer is not None  # a session raises where it has no answer
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        usage = usage_of(answer)
        body = {**self._head("chat.completion"), "choices": [choice], **({"usage": usage} if usage else {})}
        await send_json(send, 200, body)

    async def _stream(self, run: Run[Delta | Answer], send: Send, *, include_usage: bool) -> None:
        chunks = _Chunks(send, self._head("chat.completion.chunk"))
        usage = None
        try:
            async for event in with_heartbeats(run):
                if isinstance(event, Delta):
                    await chunks.delta({"content": event.text})
                elif isinstance(event, Answer):
                    usage = usage_of(event)
                else:
                    await chunks.heartbeat()
        except Exception as error:
            if chunks.stream.started:
                # Without [DONE]: what was sent is not the whole answer.
                await chunks.stream.event(from_exception(error).body(), last=True)
            raise
        await chunks.delta({}, finish_reason="stop")
        if include_usage and usage:
            await chunks.usage(usage)
        await chunks.stream.end(b"[DONE]")

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": self._name}


class _Chunks:
    """Chat completion chunks on a stream of events; the first one names the role, as OpenAI's does."""

    def __init__(self, send: Send, head: dict[str, Any]) -> None:
        self.stream = EventStream(send)
        self._head = head

    async def delta(self, delta: dict[str, str], *, finish_reason: str | None = None) -> None:
        await self._begin()
        await self._chunk(delta, finish_reason)

    async def usage(self, usage: dict[str, int]) -> None:
        await self.stream.event({**self._head, "choices": [], "usage": usage})

    async def heartbeat(self) -> None:
        await self._begin()
        await self.stream.heartbeat()

    async def _begin(self) -> None:
        if not self.stream.started:
            await self._chunk({"role": "assistant", "content": ""}, None)

    async def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        await self.stream.event({**self._head, "choices": [choice]})


def usage_of(answer: Answer) -> dict[str, int] | None:
    """Token counts as OpenAI names them, or None where the model reported none."""
    if answer.prompt_tokens is None or answer.completion_tokens is None:
        return None
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
