"""The port for users: routing, errors in OpenAI's shape, what is counted, and which answers end their connection."""

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from prewarm_agent.admission.gate import Gate
from prewarm_agent.serve.asgi import BodyTooLarge, Disconnected, Message, Receive, Scope, Send, read_body, send_json
from prewarm_agent.serve.connections import expired
from prewarm_agent.serve.errors import RETRY_AFTER_SECONDS, APIError
from prewarm_agent.startup.state import Lifecycle, Stage

if TYPE_CHECKING:
    from prewarm_agent.serve.completions import Completions

logger = logging.getLogger(__name__)

# A million tokens of text. Bodies are read and parsed before there is a place: they cost memory, and time of the loop.
MAX_BODY_BYTES = 4 * 1024 * 1024

COMPLETIONS_PATH = "/v1/chat/completions"
MODELS_PATH = "/v1/models"
_ENDPOINTS = {COMPLETIONS_PATH: ("chat_completions", "POST"), MODELS_PATH: ("models", "GET")}


class UserApplication:
    """Refuses everything until `open` has given it an agent to serve."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._name = ""
        self._created = 0
        self._gate: Gate | None = None
        self._completions: Completions | None = None
        self._open = 0
        self._first = True

    def open(self, name: str, created: int, gate: Gate, completions: "Completions") -> None:
        """From now on `completions` answers; `created` is when the agent came to be, in seconds since 1970."""
        self._name, self._created, self._gate, self._completions = name, created, gate, completions

    def end_all(self) -> bool:
        """Ends all runs; whether there were any."""
        return self._completions is not None and self._completions.end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._lifecycle.stage is not Stage.WARM or self._completions is None:
            await _refuse_before_warm(self._lifecycle.stage, receive, send)
        else:
            await self._measured(scope, receive, _Answer(self, scope, send))

    def must_close(self, scope: Scope, status: int) -> bool:
        """Whether the answer that starts now is the last on its connection."""
        assert self._gate is not None
        above_target = self._open > self._gate.target
        return status == 429 or self._lifecycle.draining or above_target or expired(scope["state"])

    async def _measured(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        from prewarm_agent import metrics

        endpoint, _ = _ENDPOINTS.get(scope["path"], ("other", ""))
        started = time.perf_counter()
        code = 0
        self._open += 1
        try:
            await self._route(scope, receive, answer)
        except APIError as error:
            code = error.status
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
        metrics.requests.labels(endpoint=endpoint, code=str(code)).inc()
        if endpoint != "chat_completions" or code == 429:
            return
        seconds = time.perf_counter() - started
        if self._first and code == 200:
            self._first = False
            metrics.first_request_seconds.set(seconds)
        else:
            metrics.request_duration_seconds.labels(endpoint=endpoint, outcome=_outcome(code)).observe(seconds)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        endpoint, allowed = _ENDPOINTS.get(path, ("", ""))
        # Read first, whatever the answer will be: to close a connection with unread bytes resets it, answer and all.
        try:
            body = await read_body(receive, MAX_BODY_BYTES)
        except BodyTooLarge:
            raise APIError(413, f"The body is larger than {MAX_BODY_BYTES} bytes.", code="body_too_large") from None
        if not endpoint:
            raise APIError(404, f"There is no {path}; use {COMPLETIONS_PATH} or {MODELS_PATH}.", code="unknown_url")
        if method != allowed:
            raise APIError(405, f"{path} takes {allowed}.", code="method_not_allowed")
        if path == MODELS_PATH:
            model = {"id": self._name, "object": "model", "created": self._created, "owned_by": "prewarm"}
            await send_json(send, 200, {"object": "list", "data": [model]})
            return
        assert self._completions is not None
        await self._completions.answer(body, receive, send)


class _Answer:
    """The `send` of one request: remembers the status, and adds `Connection: close` where it is due."""

    def __init__(self, application: UserApplication, scope: Scope, send: Send) -> None:
        self._application = application
        self._scope = scope
        self._send = send
        self.status = 0

    @property
    def started(self) -> bool:
        return self.status != 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._application.must_close(self._scope, self.status):
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        await self._send(message)


async def _refuse_before_warm(stage: Stage, receive: Receive, send: Send) -> None:
    with suppress(BodyTooLarge, Disconnected):
        await read_body(receive, MAX_BODY_BYTES)
    text, code = "The agent is starting.", "starting"
    if stage is Stage.GENERIC:
        text, code = "This pod has no agent yet.", "not_specialized"
    error = APIError(503, text, code=code, retry_after_seconds=RETRY_AFTER_SECONDS)
    await send_json(send, error.status, error.body(), [*error.headers(), (b"connection", b"close")])


def _outcome(code: int) -> str:
    if code < 400:
        return "ok"
    if code == 499:
        return "disconnected"
    if code == 504:
        return "timeout"
    return "client_error" if code < 500 else "error"
