"""The HTTP clients under the model clients: pooled for the whole process, watched, and able to answer a warm-up."""

import asyncio
import email.utils
import math
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import httpx2

from prewarm_agent.framework import canned
from prewarm_agent.framework.error_body import error_text, true_status
from prewarm_agent.framework.model_call import ModelCall, WatchedStream
from prewarm_agent.framework.upstream import LastCall, OnModelCall, Outcome, last_call, outcome_of

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

    def answer(self, path: str, body: bytes) -> canned.Canned:
        self._calls += 1
        if self.complete:
            self._stop()
        return canned.answer(path, body)


# Set in a rehearsal, and so in all its tasks: the very clients that will serve answer by themselves.
rehearsal: ContextVar[Rehearsal | None] = ContextVar("prewarm_rehearsal", default=None)


@dataclass(frozen=True, slots=True)
class HTTPSettings:
    """What all HTTP clients of the process have in common. `on_model_call` hears how each call to a model ended."""

    ssl_context: ssl.SSLContext
    connections: int
    read_timeout_seconds: float
    on_model_call: OnModelCall

    def options(self, library: Any) -> dict[str, Any]:
        """The arguments of an AsyncClient of `library`, httpx or httpx2."""
        return {
            "verify": self.ssl_context,
            # One connection for each request in flight; a team may call the model several times at once for one.
            "limits": library.Limits(
                max_connections=None, max_keepalive_connections=self.connections, keepalive_expiry=KEEPALIVE_SECONDS
            ),
            "timeout": library.Timeout(self.read_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            "follow_redirects": True,
            # All users share the client: what a server sets for one must not go out with the next one's request.
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        }


class _Watched:
    """Mixed into an AsyncClient: the one place where requests to a model leave the process."""

    on_model_call: OnModelCall
    reads_events: bool  # an SDK that does finds nothing in JSON
    response_class: type[Any]
    error_class: type[Exception]

    async def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Sends, except in a rehearsal: no byte leaves the process then."""
        if (current := rehearsal.get()) is not None:
            answer = current.answer(request.url.path, request.content)
            headers = {"content-type": answer.media_type}
            return self.response_class(answer.status, headers=headers, content=answer.content, request=request)
        if request.method != "POST":  # the list of models, asked for by the warm-up: no call that anyone waits for
            return await super().send(request, *args, **kwargs)  # type: ignore[misc]
        call = ModelCall(self.on_model_call, last_call.get() or LastCall())
        streamed = bool(kwargs.get("stream"))
        if streamed:
            request.headers["accept-encoding"] = "identity"  # errors among the events must be legible
        try:
            response = await super().send(request, *args, **kwargs)  # type: ignore[misc]
            await self._judge(response, call, streamed=streamed)
        except asyncio.CancelledError:
            if call.timed_out:
                call.record(Outcome.ERROR)
            raise
        except Exception:
            call.last.failed = True
            call.record(Outcome.ERROR)
            raise
        return response

    async def _judge(self, response: Any, call: ModelCall, *, streamed: bool) -> None:
        """Records how the call ended. Raises where the SDKs would take an answer for one that is none."""
        media_type = response.headers.get("content-type", "")
        if response.is_success and ("html" in media_type or (media_type and "json" not in media_type and not streamed)):
            await response.aclose()
            raise self._no_answer(
                call, f"it answered with {media_type.partition(';')[0]}, not with JSON; check its URL."
            )
        whole = not streamed or media_type.startswith("application/json")
        if response.is_success and whole:
            response.status_code = true_status(response.status_code, await response.aread())
            if response.is_success and streamed and self.reads_events:
                raise self._no_answer(call, "it answered a streamed call with JSON, not with events; it must stream.")
        if response.is_error:
            body = await response.aread()
            retry_after = retry_after_seconds(response)
            call.last.fail(status=response.status_code, text=error_text(body), retry_after=retry_after)
        elif not whole:
            response.stream = WatchedStream(response.stream, call)
            return
        call.record(outcome_of(response.status_code))

    def _no_answer(self, call: ModelCall, text: str) -> Exception:
        call.last.fail(status=502, text=text)
        return self.error_class(text)


class ModelHTTPClient(_Watched, httpx2.AsyncClient):
    """For the SDKs of OpenAI and Anthropic. Safe to share between all requests of one event loop."""

    reads_events = True
    response_class = httpx2.Response
    error_class = httpx2.RemoteProtocolError

    def __init__(self, settings: HTTPSettings) -> None:
        super().__init__(**settings.options(httpx2))
        self.on_model_call = settings.on_model_call


class OllamaHTTPClient(_Watched, httpx.AsyncClient):
    """For Ollama's SDK, which is built on the other of the two libraries and makes its client itself."""

    reads_events = False
    response_class = httpx.Response
    error_class = httpx.RemoteProtocolError

    def __init__(self, *, on_model_call: OnModelCall, **options: Any) -> None:
        super().__init__(**options)
        self.on_model_call = on_model_call


def retry_after_seconds(response: Any) -> int | None:
    """The header Retry-After, a number or a date, as whole seconds."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0, math.ceil(seconds)) if math.isfinite(seconds) else None
