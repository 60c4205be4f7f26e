"""Which answer a failed run becomes."""

import pytest

from prewarm_agent.admission.gate import Refused
from prewarm_agent.admission.run import Ended, RunEnded
from prewarm_agent.framework.session import NoAnswer
from prewarm_agent.framework.upstream import UpstreamFailure
from prewarm_agent.serve.errors import APIError, from_exception


@pytest.mark.parametrize(
    ("error", "status", "code", "kind"),
    [
        (Refused(), 429, "overloaded", "rate_limit_error"),
        (RunEnded(Ended.DEADLINE), 504, "deadline_exceeded", "server_error"),
        (RunEnded(Ended.DRAINED), 503, "draining", "server_error"),
        (UpstreamFailure(429, "upstream_rate_limit", "slow down", 7), 429, "upstream_rate_limit", "rate_limit_error"),
        (UpstreamFailure(502, "upstream_error", "broken", None), 502, "upstream_error", "server_error"),
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


def test_answers_that_may_be_sent_again_say_when() -> None:
    assert from_exception(Refused()).headers() == [(b"retry-after", b"1")]
    assert from_exception(RunEnded(Ended.DRAINED)).headers() == [(b"retry-after", b"1")]
    assert from_exception(UpstreamFailure(429, "upstream_rate_limit", "", 7)).headers() == [(b"retry-after", b"7")]
    assert from_exception(UpstreamFailure(429, "upstream_rate_limit", "", None)).headers() == [(b"retry-after", b"1")]
    assert from_exception(KeyError()).headers() == []


def test_an_answer_stays_what_it_is() -> None:
    answer = APIError(404, "x")
    assert from_exception(answer) is answer
