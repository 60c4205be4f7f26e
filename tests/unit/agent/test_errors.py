"""Which answer a failed run becomes."""

import pytest

from prewarm_agent.admission.gate import Refused
from prewarm_agent.admission.run import Ended, RunEnded
from prewarm_agent.framework.session import NoAnswer
from prewarm_agent.serve.errors import APIError, from_exception


class RateLimitError(Exception):
    """Named as the OpenAI SDK's."""


@pytest.mark.parametrize(
    ("error", "status", "code", "kind"),
    [
        (Refused(), 429, "overloaded", "rate_limit_error"),
        (RunEnded(Ended.DEADLINE), 504, "deadline_exceeded", "server_error"),
        (RunEnded(Ended.DRAINED), 503, "draining", "server_error"),
        (RateLimitError("slow down"), 429, "upstream_rate_limit", "rate_limit_error"),
        (RuntimeError("RateLimitError: slow down\nTraceback: ..."), 429, "upstream_rate_limit", "rate_limit_error"),
        (RuntimeError("APITimeoutError: Request timed out."), 504, "upstream_timeout", "server_error"),
        (RuntimeError("AuthenticationError: no such key: secret"), 502, "upstream_refused_key", "server_error"),
        (NoAnswer("The run ended without an answer: x"), 500, "no_answer", "server_error"),
        (KeyError("secret"), 500, "agent_failed", "server_error"),
        (RuntimeError("secret"), 500, "agent_failed", "server_error"),
    ],
)
def test_a_failure_becomes_an_answer_in_the_apis_shape(error: Exception, status: int, code: str, kind: str) -> None:
    answer = from_exception(error)
    body = answer.body()["error"]
    assert isinstance(body, dict)
    assert (answer.status, body["code"], body["type"]) == (status, code, kind)
    assert "secret" not in answer.message
    assert "Traceback" not in answer.message


def test_answers_that_may_be_sent_again_say_when() -> None:
    assert from_exception(Refused()).headers() == [(b"retry-after", b"1")]
    assert from_exception(RunEnded(Ended.DRAINED)).headers() == [(b"retry-after", b"1")]
    assert from_exception(KeyError()).headers() == []


def test_an_answer_stays_what_it_is() -> None:
    answer = APIError(404, "x")
    assert from_exception(answer) is answer
