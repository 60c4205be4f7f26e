"""What became of the calls to a model's API: an outcome for those who count, an answer for the client of a run."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from prewarm_agent.framework.error_body import tidy


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
    """What the newest call of a run failed with. A team passes on only the text of an error, so it is kept here.

    `late` when the run's deadline has struck.
    """

    late: bool = False
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


# The packages whose errors are a model API's, and what they raise, by name: an agent's own code may use the same names.
_SDKS = {"anthropic", "ollama", "openai"}
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


def explain(error: Exception, last: LastCall) -> UpstreamFailure | None:
    """The failure behind what a run raised, or None if the model's API is not to blame."""
    package, name, text = _raised(error)
    if package in _SDKS and name in _SDK_ERRORS:
        default = _SDK_ERRORS[name]
    elif name in _TRANSPORT_ERRORS and last.failed:
        default = _TRANSPORT_ERRORS[name]
    else:
        return None
    own = getattr(error, "status_code", None)
    status = own if isinstance(own, int) and own >= 400 else last.status or default
    if status is None:
        return UpstreamFailure(502, "upstream_unreachable", last.text or "it could not be reached.", None)
    return _answer(status, last.text or tidy(text.partition("\n")[0]), last.retry_after_seconds)


def _raised(error: Exception) -> tuple[str, str, str]:
    """The package, name and text of what was raised, by a team's member too: of that, a team passes on only a text."""
    package, name, text = type(error).__module__, type(error).__name__, str(error)
    # A team's is "RateLimitError: slow down", and the traceback, which knows the module; one in another says it twice.
    while name == "RuntimeError":
        name, _, text = text.partition(": ")
        modules = re.findall(rf"^([\w.]+)\.{re.escape(name)}(?::|$)", text, re.MULTILINE)
        package = modules[-1] if modules else ""
    return package.partition(".")[0], name, text


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
