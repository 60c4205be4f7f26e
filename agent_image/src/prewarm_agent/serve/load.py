"""`GET /load`: how busy this process is, once or as a stream that tells every change."""

import asyncio
import json
from contextlib import suppress

from prewarm_agent.admission.load import FADE_SECONDS
from prewarm_agent.serve.asgi import Receive, Scope, Send, send_json
from prewarm_agent.startup.state import Lifecycle

# One reader is the operator's leader; the rest is room for a change of leaders and for people with curl.
MAX_WATCHERS = 8
COALESCE_SECONDS = 0.02
HEARTBEAT_SECONDS = 15.0

_CONTENT_TYPE = b"application/x-ndjson"


class LoadEndpoint:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._watchers = 0

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD" or b"watch=1" not in scope["query_string"].split(b"&"):
            await send_json(send, 200, self._report())
        elif self._watchers >= MAX_WATCHERS:
            await send_json(send, 503, {"error": f"{MAX_WATCHERS} watch already; ask without watch=1, or again later"})
        else:
            self._watchers += 1
            try:
                await self._stream(receive, send)
            finally:
                self._watchers -= 1

    async def _stream(self, receive: Receive, send: Send) -> None:
        changed = asyncio.Event()
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: changed.set())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", _CONTENT_TYPE)]})
            with self._lifecycle.load.watched(changed.set):
                await self._lines(send, changed, gone)
        finally:
            gone.cancel()

    async def _lines(self, send: Send, changed: asyncio.Event, gone: asyncio.Future[None]) -> None:
        """Sends a line for each change and heartbeat, until the drain or the reader's end."""
        clock = asyncio.get_running_loop().time
        sent, sent_at, draining = b"", -HEARTBEAT_SECONDS, False
        while not draining and not gone.done():
            changed.clear()
            draining = self._lifecycle.draining
            line = json.dumps(self._report(), separators=(",", ":")).encode() + b"\n"
            if line != sent or clock() >= sent_at + HEARTBEAT_SECONDS:
                await send({"type": "http.response.body", "body": line, "more_body": not draining})
                sent, sent_at = line, clock()
            if not draining:
                heartbeat_at = sent_at + HEARTBEAT_SECONDS
                await _wait(changed, clock() + FADE_SECONDS if self._lifecycle.load.fades else heartbeat_at)
                # The first change after a quiet time is told at once, and what follows soon after in one line.
                await asyncio.sleep(sent_at + COALESCE_SECONDS - clock())

    def _report(self) -> dict[str, object]:
        return {"state": self._lifecycle.state, **self._lifecycle.load.snapshot()}


async def _wait(changed: asyncio.Event, until: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            await changed.wait()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
