"""Errors as the OpenAI API words them, and which of them a failed run becomes."""

from collections.abc import Iterable

from prewarm_agent.admission.gate import Refused
from prewarm_agent.admission.run import Ended, RunEnded
from prewarm_agent.framework.upstream import UpstreamFailure

RETRY_AFTER_SECONDS = 1


class APIError(Exception):
    """An answer with a status of 400 or above, in OpenAI's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_seconds: int | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self._headers = tuple(headers)

    def body(self) -> dict[str, object]:
        if self.status == 429:
            kind = "rate_limit_error"
        elif self.status == 401:
            kind = "authentication_error"
        elif self.status < 500:
            kind = "invalid_request_error"
        else:
            kind = "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def headers(self) -> list[tuple[bytes, bytes]]:
        if self.retry_after_seconds is None:
            return [*self._headers]
        return [*self._headers, (b"retry-after", str(self.retry_after_seconds).encode())]


_ENDED = {
    Ended.DEADLINE: (504, "The agent did not finish before the deadline.", "deadline_exceeded"),
    Ended.DISCONNECTED: (499, "The client went away.", "client_closed_request"),
    Ended.DRAINED: (503, "This replica stopped before the agent had finished; send the request again.", "draining"),
}


def from_exception(error: Exception) -> APIError:
    """The answer for a run that ended with `error`. What is not known is an error of the agent's own code."""
    if isinstance(error, APIError):
        return error
    if isinstance(error, Refused):
        text = "The agent is at its limit of requests; try again soon."
        return APIError(429, text, code="overloaded", retry_after_seconds=RETRY_AFTER_SECONDS)
    if isinstance(error, RunEnded):
        status, text, code = _ENDED[error.why]
        return APIError(status, text, code=code, retry_after_seconds=RETRY_AFTER_SECONDS if status == 503 else None)
    if isinstance(error, UpstreamFailure):
        retry = error.retry_after_seconds or (RETRY_AFTER_SECONDS if error.status == 429 else None)
        return APIError(error.status, str(error), code=error.code, retry_after_seconds=retry)
    name = type(error).__name__
    if name == "NoAnswer":  # by name, since its module imports AutoGen
        return APIError(500, str(error), code="no_answer")
    return APIError(500, f"The agent failed with {name}.", code="agent_failed")
