"""The HTTP requests to a model's API: counted, timed, and answered here when the doctor works offline."""

import json
import time
from typing import Any

import httpx
import httpx2

from prewarm_agent.doctor.instruments import Recorder
from prewarm_agent.framework import canned

_CHAT_PATHS = ("/chat/completions", "/v1/messages", "/api/chat", "/responses")


class ModelCalls:
    """Stands between the vendors' SDKs and their HTTP clients. `offline`: no byte leaves the process."""

    def __init__(self, recorder: Recorder, *, offline: bool) -> None:
        self._recorder = recorder
        self._offline = offline
        self._failed: dict[bytes, float] = {}
        self._seen: list[str] = []

    def install(self) -> None:
        """Wrap the transports of httpx and httpx2, for the life of the process."""
        for library in (httpx, httpx2):
            self._wrap(library, library.AsyncHTTPTransport, "handle_async_request")
            self._wrap_blocking(library, library.HTTPTransport, "handle_request")

    def begin_request(self, question: str) -> None:
        """A user's request begins: what is sent from now on is compared with earlier questions."""
        self._failed.clear()
        self._seen.append(question)

    def _wrap(self, library: Any, transport: Any, name: str) -> None:
        original = getattr(transport, name)

        async def wrapped(this: Any, request: Any) -> Any:
            if not request.url.path.endswith(_CHAT_PATHS):
                return await original(this, request)
            body = await request.aread()
            self._sent(body)
            if self._offline:
                return _canned(library, request, body)
            return await self._real(original, this, request, body)

        setattr(transport, name, wrapped)

    def _wrap_blocking(self, library: Any, transport: Any, name: str) -> None:
        original = getattr(transport, name)

        def wrapped(this: Any, request: Any) -> Any:
            if not request.url.path.endswith(_CHAT_PATHS):
                return original(this, request)
            body = request.read()
            self._sent(body)
            self._recorder.current.blocking_calls += 1
            return _canned(library, request, body) if self._offline else original(this, request)

        setattr(transport, name, wrapped)

    async def _real(self, original: Any, transport: Any, request: Any, body: bytes) -> Any:
        started = time.perf_counter()
        try:
            answer = await original(transport, request)
        except Exception:
            self._failed.setdefault(body, started)
            raise
        if answer.status_code == 429 or answer.status_code >= 500:
            self._failed.setdefault(body, started)
        return answer

    def _sent(self, body: bytes) -> None:
        phase = self._recorder.current
        phase.model_calls += 1
        if body in self._failed:
            phase.repeated_calls += 1
            phase.waited_seconds += time.perf_counter() - self._failed.pop(body)
        phase.prompt_characters = max(phase.prompt_characters, len(_texts(body)))
        text = body.decode(errors="replace")
        if any(json.dumps(earlier)[1:-1] in text for earlier in self._seen[:-1]):
            self._recorder.observation.leaked = True


def _canned(library: Any, request: Any, body: bytes) -> Any:
    answer = canned.answer(request.url.path, body)
    headers = {"content-type": answer.media_type}
    return library.Response(answer.status, headers=headers, content=answer.content, request=request)


def _texts(body: bytes) -> str:
    try:
        messages = json.loads(body).get("messages", ())
    except ValueError:
        return ""
    return "".join(str(message.get("content", "")) for message in messages)
