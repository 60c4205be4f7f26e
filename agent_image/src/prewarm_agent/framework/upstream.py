"""What became of the calls to a model's API: an outcome for those who count, an answer for the client of a run."""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How one call ended. REJECTED is a 4xx that blames the request (400, 404): the API itself is well."""

    OK = "ok"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    ERROR = "error"

    @property
    def well(self) -> bool:
        """Whether the API did what an API should."""
        return self in (Outcome.OK, Outcome.REJECTED)


OnModelCall = Callable[[Outcome], object]

_BLAMES_THE_API = {401, 403, 408}


def outcome_of(status: int) -> Outcome:
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.ERROR if status >= 500 or status in _BLAMES_THE_API else Outcome.REJECTED


@dataclass(slots=True)
class LastCall:
    """What the newest call of a run failed with. A team passes on only the text of an error, so it is kept here."""

    failed: bool = False
    status: int | None = None
    text: str | None = None
    retry_after_seconds: int | None = None

    def begin(self) -> None:
        self.failed, self.status, self.text, self.retry_after_seconds = False, None, None, None

    def fail(self, *, status: int | None = None, text: str | None = None, retry_after: int | None = None) -> None:
        self.failed, self.status, self.text, self.retry_after_seconds = True, status, text, retry_after


# Set for each run, and so seen by all its tasks.
last_call: ContextVar[LastCall | None] = ContextVar("prewarm_last_call", default=None)


class UpstreamFailure(Exception):
    """The run failed because the model's API did. Carries the answer that the client shall get."""

    def __init__(self, status: int, code: str, text: str, retry_after_seconds: int | None) -> None:
        super().__init__(f"The model's API: {text}")
        self.status = status
        self.code = code
        self.retry_after_seconds = retry_after_seconds


# What the SDKs of the vendors raise, by name: a team passes on only "RateLimitError: ..." as the text of another error.
_SDK_ERRORS: dict[str, int | None] = {
    "APIConnectionError": None,
    "APIError": 502,
    "APIResponseValidationError": 502,
    "APIStatusError": 502,
    "APITimeoutError": 504,
    "AuthenticationError": 401,
    "BadRequestError": 400,
    "ConflictError": 409,
    "ContentTooLargeError": 413,
    "GatewayTimeoutError": 504,
    "InternalServerError": 500,
    "NotFoundError": 404,
    "OverloadedError": 529,
    "PaymentRequiredError": 402,
    "PermissionDeniedError": 403,
    "RateLimitError": 429,
    "RequestTimeoutError": 408,
    "ServiceUnavailableError": 503,
    "UnprocessableEntityError": 422,
}
# What may also come from an agent's own code: these count only when a model call of the run was seen to fail.
_TRANSPORT_ERRORS: dict[str, int | None] = {
    "ConnectError": None,
    "ConnectTimeout": 504,
    "ConnectionError": None,
    "DecodingError": 502,
    "JSONDecodeError": 502,
    "PoolTimeout": 504,
    "ReadError": None,
    "ReadTimeout": 504,
    "RemoteProtocolError": None,
    "ResponseError": 502,
    "WriteError": None,
    "WriteTimeout": 504,
}
_MAX_TEXT = 500


def explain(error: Exception, last: LastCall) -> UpstreamFailure | None:
    """The failure behind what a run raised, or None if the model's API is not to blame."""
    name, text = type(error).__name__, str(error)
    if isinstance(error, RuntimeError) and name == "RuntimeError":  # a team's
        name, _, text = text.partition(": ")
    if name in _SDK_ERRORS:
        default = _SDK_ERRORS[name]
    elif name in _TRANSPORT_ERRORS and last.failed:
        default = _TRANSPORT_ERRORS[name]
    else:
        return None
    own = getattr(error, "status_code", None)
    status = own if isinstance(own, int) and own >= 400 else last.status or default
    if status is None:
        return UpstreamFailure(502, "upstream_unreachable", last.text or "it could not be reached.", None)
    text = last.text or tidy(text.partition("\n")[0])
    return _answer(status, text, last.retry_after_seconds)


def _answer(status: int, text: str, retry_after_seconds: int | None) -> UpstreamFailure:
    if status in (400, 413, 422):
        return UpstreamFailure(400, "upstream_bad_request", text, None)
    if status in (401, 403):
        # Its own words quote parts of the key.
        return UpstreamFailure(502, "upstream_refused_key", "it refuses the agent's key.", None)
    if status == 404:
        return UpstreamFailure(502, "upstream_not_found", text, None)
    if status in (408, 504):
        return UpstreamFailure(504, "upstream_timeout", text, None)
    if status == 429:
        return UpstreamFailure(429, "upstream_rate_limit", text, retry_after_seconds)
    return UpstreamFailure(502, "upstream_error", text, retry_after_seconds)


def true_status(status: int, body: bytes) -> int:
    """The status that an answer deserves: some gateways send an error with status 200."""
    if b'"error"' not in body[:100]:
        return status
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return status
    code = error.get("code") if isinstance(error, dict) else None
    if not error:
        return status
    return code if isinstance(code, int) and 400 <= code < 600 else 502


def error_text(body: bytes) -> str:
    """What an error's body says, whatever shape the server gave it."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return tidy(body.decode(errors="replace"))
    for _ in range(3):  # {"error": {"message": "..."}}, {"detail": "..."}, {"error": "..."}
        if not isinstance(value, dict):
            break
        value = next((value[key] for key in ("error", "message", "detail") if value.get(key)), json.dumps(value))
    return tidy(value if isinstance(value, str) else json.dumps(value))


def tidy(text: str) -> str:
    """One short line; a proxy's web page is named, not quoted."""
    if "<html" in text[:1000].lower() or "<!doctype" in text[:100].lower():
        return "it answered with a web page."
    text = " ".join(text.split())
    return (text[:_MAX_TEXT] + "…" if len(text) > _MAX_TEXT else text) or "it gave no reason."
