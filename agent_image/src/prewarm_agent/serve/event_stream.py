"""A streamed answer: chat completion chunks as server-sent events."""

import json
from typing import Any

from prewarm_agent.serve.asgi import Send

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
]


class EventStream:
    """Starts with its first event: until then, an error can still have a status of its own."""

    def __init__(self, send: Send, head: dict[str, Any]) -> None:
        self._send = send
        self._head = head
        self.started = False

    async def chunk(self, delta: dict[str, str], *, finish_reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        await self._write(_event({**self._head, "choices": [choice]}))

    async def usage(self, usage: dict[str, int]) -> None:
        await self._write(_event({**self._head, "choices": [], "usage": usage}))

    async def heartbeat(self) -> None:
        await self._write(b": working\n\n")

    async def done(self) -> None:
        await self._write(b"data: [DONE]\n\n", more=False)

    async def error(self, body: dict[str, object]) -> None:
        """Ends a started stream, without [DONE]: what was sent is not the whole answer."""
        await self._write(_event(body), more=False)

    async def _write(self, content: bytes, *, more: bool = True) -> None:
        if not self.started:
            self.started = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self.chunk({"role": "assistant", "content": ""})
        await self._send({"type": "http.response.body", "body": content, "more_body": more})


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
