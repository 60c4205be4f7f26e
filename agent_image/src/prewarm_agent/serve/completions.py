"""`POST /v1/chat/completions`: the client sends the whole conversation, the agent answers its last message."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.run import Ended, Run
from prewarm_agent.framework.blueprint import Blueprint
from prewarm_agent.framework.session import Answer, Delta, Session
from prewarm_agent.serve.asgi import Receive, Send, send_json
from prewarm_agent.serve.chat_request import parse
from prewarm_agent.serve.errors import from_exception
from prewarm_agent.serve.event_stream import EventStream

# Proxies give up on a connection that is silent for a minute.
HEARTBEAT_SECONDS = 15.0


class Completions:
    """The endpoint, for the one agent called `name`."""

    def __init__(self, name: str, blueprint: Blueprint, gate: Gate, *, request_timeout_seconds: float) -> None:
        self._name = name
        self._blueprint = blueprint
        self._gate = gate
        self._request_timeout_seconds = request_timeout_seconds
        self._runs: set[Run[Delta | Answer]] = set()

    def end_all(self) -> bool:
        """Ends every run, waiting ones included, and tells their clients to try again. Whether there were any."""
        runs = list(self._runs)
        for run in runs:
            run.end(Ended.DRAINED)
        return bool(runs)

    async def answer(self, body: bytes, receive: Receive, send: Send) -> None:
        """Answers one request whose body was read. Raises APIError; a streamed answer has told the client by then."""
        request = parse(body, self._name)
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
                options = request.stream_options
                await self._stream(run, send, include_usage=bool(options and options.include_usage))
            else:
                await self._plain(run, send)
        except Exception as error:
            raise from_exception(error) from error
        finally:
            gone.cancel()

    async def _plain(self, run: Run[Delta | Answer], send: Send) -> None:
        answer = None
        async for event in run:
            if isinstance(event, Answer):
                answer = event
        assert answer is not None  # a session raises where it has no answer
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        usage = _usage(answer)
        body = {**self._head("chat.completion"), "choices": [choice], **({"usage": usage} if usage else {})}
        await send_json(send, 200, body)

    async def _stream(self, run: Run[Delta | Answer], send: Send, *, include_usage: bool) -> None:
        stream = EventStream(send, self._head("chat.completion.chunk"))
        usage = None
        try:
            async for event in _with_heartbeats(run):
                if isinstance(event, Delta):
                    await stream.chunk({"content": event.text})
                elif isinstance(event, Answer):
                    usage = _usage(event)
                else:
                    await stream.heartbeat()
        except Exception as error:
            if stream.started:
                await stream.error(from_exception(error).body())
            raise
        await stream.chunk({}, finish_reason="stop")
        if include_usage and usage:
            await stream.usage(usage)
        await stream.done()

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


def _usage(answer: Answer) -> dict[str, int] | None:
    if answer.prompt_tokens is None or answer.completion_tokens is None:
        return None
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
