"""The port for users: routing, errors in OpenAI's shape, what is counted, and which answers end their connection."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prewarm_agent.observe import request, traces
from prewarm_agent.serve import request_id
from prewarm_agent.serve.asgi import BodyTooLarge, Disconnected, Message, Receive, Scope, Send, send_json
from prewarm_agent.serve.auth import Auth
from prewarm_agent.serve.connections import expired
from prewarm_agent.serve.errors import RETRY_AFTER_SECONDS, APIError
from prewarm_agent.serve.uploads import MAX_BODY_BYTES, UPLOAD_SECONDS, TooMany, TooSlow, Uploads, drop
from prewarm_agent.startup.state import Lifecycle, Stage

if TYPE_CHECKING:
    from prewarm_agent.serve.running import Running

logger = logging.getLogger(__name__)

# Refused by this process before the agent ran: the reasons among the codes of errors.
_REJECTIONS = frozenset({"overloaded", "invalid_api_key", "body_too_slow", "body_too_large", "draining"})

Handler = Callable[[Scope, bytes, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a path does: `name` is its label in the metrics. Runs of an agent are timed, and may be refused a place."""

    name: str
    method: str
    answer: Handler
    runs: bool = True


class UserApplication:
    """Refuses everything until `open` has given it an agent to serve."""

    def __init__(self, lifecycle: Lifecycle, auth: Auth) -> None:
        self._lifecycle = lifecycle
        self._auth = auth
        self._uploads = Uploads()
        self._endpoints: Mapping[str, Endpoint] = {}
        self._running: Running | None = None
        self._open = 0
        self._first = True

    def open(self, endpoints: "Mapping[str, Endpoint]", running: "Running") -> None:
        """From now on these endpoints answer, by path; `running` knows the runs that they start."""
        self._endpoints, self._running = endpoints, running

    def end_all(self) -> bool:
        """Ends all runs; whether there were any."""
        return self._running is not None and self._running.end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = request_id.take(scope)
        if self._lifecycle.stage is not Stage.WARM or self._running is None:
            await self._refuse_before_warm(receive, _Answer(None, scope, send, name))
        else:
            await self._measured(scope, receive, _Answer(self, scope, send, name))

    def must_close(self, scope: Scope, status: int) -> bool:
        """Whether the answer that starts now is the last on its connection."""
        assert self._running is not None
        above_target = self._open > self._running.gate.target
        return status in (408, 429) or self._lifecycle.draining or above_target or expired(scope["state"])

    async def _measured(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        from prewarm_agent import metrics

        endpoint = self._endpoints.get(scope["path"])
        name = endpoint.name if endpoint else "other"
        started = time.perf_counter()
        code = 0
        current = request.Request(traces.request_span(name, scope["headers"]))
        request.current.set(current)
        self._open += 1
        try:
            await self._route(scope, endpoint, receive, answer)
        except APIError as error:
            code = error.status
            if error.code in _REJECTIONS:
                metrics.requests_rejected.labels(reason=error.code).inc()
            if not answer.started:
                await send_json(answer, error.status, error.body(), error.headers())
            if code >= 500:
                cause = type(error.__cause__).__name__ if error.__cause__ else None
                logger.warning("request failed", extra={"status": code, "code": error.code, "cause": cause})
        except Disconnected:
            code = 499
        finally:
            self._open -= 1
            code = code or answer.status
            attributes = {"http.response.status_code": code}
            traces.end(current.span, attributes, error=str(code) if code >= 500 else None)
        metrics.requests.labels(endpoint=name, code=str(code)).inc()
        if endpoint is None or not endpoint.runs or code in (401, 429):
            return
        seconds = time.perf_counter() - started
        if self._first and code == 200:
            self._first = False
            metrics.first_request_seconds.set(seconds)
        else:
            metrics.request_duration_seconds.labels(endpoint=name, outcome=_outcome(code)).observe(seconds)
            metrics.overhead_seconds.observe(max(0.0, seconds - current.call_seconds))
        if answer.streamed_at is not None:
            metrics.time_to_first_chunk_seconds.labels(endpoint=name).observe(answer.streamed_at - started)

    async def _route(self, scope: Scope, endpoint: Endpoint | None, receive: Receive, send: Send) -> None:
        try:
            self._auth.require(scope)
        except APIError:
            await drop(receive)  # who may not be served must not take the room for bodies from those who may
            raise
        try:
            # Read whatever the answer will be, for the reason that `drop` gives.
            async with self._uploads.held(receive) as body:
                await self._answer(scope, endpoint, body, receive, send)
        except BodyTooLarge:
            raise APIError(413, f"The body is larger than {MAX_BODY_BYTES} bytes.", code="body_too_large") from None
        except TooSlow:
            raise APIError(408, f"The body did not come within {UPLOAD_SECONDS:.0f} s.", code="body_too_slow") from None
        except TooMany:
            assert self._running is not None
            self._running.gate.load.refused()  # it counts as demand, as what the gate refuses does
            text = "The bodies of the requests under way take all their room; try again soon."
            raise APIError(429, text, code="overloaded", retry_after_seconds=RETRY_AFTER_SECONDS) from None

    async def _answer(self, scope: Scope, endpoint: Endpoint | None, body: bytes, receive: Receive, send: Send) -> None:
        if endpoint is None:
            text = f"There is no {scope['path']}; use one of {', '.join(self._endpoints)}."
            raise APIError(404, text, code="unknown_url")
        if scope["method"] != endpoint.method:
            allow = (b"allow", endpoint.method.encode())
            text = f"{scope['path']} takes {endpoint.method}."
            raise APIError(405, text, code="method_not_allowed", headers=(allow,))
        await endpoint.answer(scope, body, receive, send)

    async def _refuse_before_warm(self, receive: Receive, send: Send) -> None:
        await drop(receive)
        text, code = "The agent is starting.", "starting"
        if self._lifecycle.stage is Stage.GENERIC:
            text, code = "This pod has no agent yet.", "not_specialized"
        error = APIError(503, text, code=code, retry_after_seconds=RETRY_AFTER_SECONDS)
        await send_json(send, error.status, error.body(), [*error.headers(), (b"connection", b"close")])


class _Answer:
    """The `send` of one request: remembers the status, adds its name, and `Connection: close` where it is due."""

    def __init__(self, application: UserApplication | None, scope: Scope, send: Send, name: str) -> None:
        self._application = application
        self._name = name.encode()
        self._scope = scope
        self._send = send
        self.status = 0
        self.streamed_at: float | None = None

    @property
    def started(self) -> bool:
        return self.status != 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], (request_id.HEADER, self._name)]
            if self._application is not None and self._application.must_close(self._scope, self.status):
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        elif self.streamed_at is None and message.get("more_body"):
            self.streamed_at = time.perf_counter()
        await self._send(message)


def _outcome(code: int) -> str:
    if code < 400:
        return "ok"
    if code == 499:
        return "disconnected"
    if code == 504:
        return "timeout"
    return "client_error" if code < 500 else "error"
