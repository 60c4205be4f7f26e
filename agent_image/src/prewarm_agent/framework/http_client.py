"""The HTTP client under a model client: pooled for the whole process, and able to answer a warm-up by itself."""

import json
import ssl
from collections.abc import Callable
from contextvars import ContextVar

import httpx2

CONNECT_TIMEOUT_SECONDS = 5.0
# The default of 5 s closes connections that the next request of a quiet agent would have used.
KEEPALIVE_SECONDS = 60.0

# More calls than this in one rehearsal teach nothing new; a team that only ends on a certain word would never end.
REHEARSED_CALLS = 8


class Rehearsal:
    """A run whose model calls are answered without a network; after enough of them, `stop` is called."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._calls = 0

    @property
    def complete(self) -> bool:
        return self._calls >= REHEARSED_CALLS

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self._calls += 1
        if self.complete:
            self._stop()
        return _canned(request)


# Set in a rehearsal, and so in all its tasks: the very clients that will serve answer by themselves.
rehearsal: ContextVar[Rehearsal | None] = ContextVar("prewarm_rehearsal", default=None)

_COMPLETION = {"id": "rehearsal", "created": 0, "model": "rehearsal"}
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class ModelHTTPClient(httpx2.AsyncClient):
    """One per model configuration. Safe to share between all requests of one event loop."""

    def __init__(self, *, ssl_context: ssl.SSLContext, connections: int, read_timeout_seconds: float) -> None:
        super().__init__(
            verify=ssl_context,
            # One connection for each request in flight; a team may call the model several times at once for one.
            limits=httpx2.Limits(
                max_connections=None, max_keepalive_connections=connections, keepalive_expiry=KEEPALIVE_SECONDS
            ),
            timeout=httpx2.Timeout(read_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            follow_redirects=True,
        )

    async def send(self, request: httpx2.Request, *args: object, **kwargs: object) -> httpx2.Response:
        """Sends, except in a rehearsal: no byte leaves the process then."""
        if (current := rehearsal.get()) is not None:
            return current.answer(request)
        return await super().send(request, *args, **kwargs)  # type: ignore[arg-type]


def _canned(request: httpx2.Request) -> httpx2.Response:
    if not request.url.path.endswith("/chat/completions"):
        return httpx2.Response(503, json={"error": {"message": "no network in a rehearsal"}}, request=request)
    if json.loads(request.content).get("stream"):
        content = "".join(f"data: {event}\n\n" for event in (_chunk("o"), _chunk("k"), _chunk(None), "[DONE]"))
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, content=content.encode(), headers=headers, request=request)
    message = {"role": "assistant", "content": "ok"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = {**_COMPLETION, "object": "chat.completion", "choices": [choice], "usage": _USAGE}
    return httpx2.Response(200, json=body, request=request)


def _chunk(text: str | None) -> str:
    delta = {} if text is None else {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": "stop" if text is None else None}
    return json.dumps({**_COMPLETION, "object": "chat.completion.chunk", "choices": [choice]})
