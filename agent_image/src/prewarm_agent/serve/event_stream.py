"""A streamed answer as server-sent events."""

import json

from prewarm_agent.serve.asgi import Send

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
]


class EventStream:
    """Starts with its first event: until then, an error can still have a status of its own."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def event(self, value: object, *, kind: str = "", last: bool = False) -> None:
        """Sends one event; `kind` is the name that the client listens to. The `last` one ends the stream."""
        name = f"event: {kind}\n" if kind else ""
        data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        await self._write(f"{name}data: {data}\n\n".encode("utf-8", "replace"), more=not last)

    async def heartbeat(self) -> None:
        """Sends what no client sees and every proxy does."""
        await self._write(b": working\n\n")

    async def end(self, data: bytes) -> None:
        """Ends the stream with an event that is no JSON."""
        await self._write(b"data: " + data + b"\n\n", more=False)

    async def _write(self, content: bytes, *, more: bool = True) -> None:
        if not self.started:
            self.started = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._send({"type": "http.response.body", "body": content, "more_body": more})
