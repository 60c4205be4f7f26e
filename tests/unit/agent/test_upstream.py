"""What a failed model call becomes: an outcome for the load, an answer for the client."""

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient
from unit.agent.test_session import events

from prewarm_agent.framework.upstream import (
    LastCall,
    Outcome,
    UpstreamFailure,
    error_text,
    explain,
    outcome_of,
    true_status,
)


class RateLimitError(Exception):
    """Named as the SDKs'."""


class StatusError(Exception):
    def __init__(self, text: str, status_code: int) -> None:
        super().__init__(text)
        self.status_code = status_code


class APIStatusError(StatusError):
    """Named as the SDKs'."""


class ResponseError(StatusError):
    """Named as Ollama's."""


class APIConnectionError(Exception):
    """Named as the SDKs'."""


def failed(**facts: object) -> LastCall:
    last = LastCall()
    last.fail(**facts)  # type: ignore[arg-type]
    return last


@pytest.mark.parametrize(
    ("error", "last", "status", "code"),
    [
        (RateLimitError("slow down"), LastCall(), 429, "upstream_rate_limit"),
        (RuntimeError("RateLimitError: slow down\nTraceback: ..."), LastCall(), 429, "upstream_rate_limit"),
        (RuntimeError("APITimeoutError: Request timed out."), LastCall(), 504, "upstream_timeout"),
        (RuntimeError("APIStatusError: I'm a teapot"), failed(status=418), 502, "upstream_error"),
        (APIStatusError("", 413), LastCall(), 400, "upstream_bad_request"),
        (APIStatusError("", 422), LastCall(), 400, "upstream_bad_request"),
        (APIStatusError("", 404), LastCall(), 502, "upstream_not_found"),
        (APIStatusError("", 529), LastCall(), 502, "upstream_error"),
        (RuntimeError("AuthenticationError: no such key: secret"), LastCall(), 502, "upstream_refused_key"),
        (APIConnectionError("Connection error."), LastCall(), 502, "upstream_unreachable"),
        (ResponseError("model 'x' not found", 404), failed(status=404), 502, "upstream_not_found"),
        (ResponseError("out of memory", -1), failed(), 502, "upstream_error"),
        (RuntimeError("ResponseError: try later (status code: 429)"), failed(status=429), 429, "upstream_rate_limit"),
        (RuntimeError("ReadTimeout: "), failed(), 504, "upstream_timeout"),
        (ConnectionError("refused"), failed(), 502, "upstream_unreachable"),
    ],
)
def test_a_failure_of_the_models_api_is_told_by_what_the_sdks_raise(
    error: Exception, last: LastCall, status: int, code: str
) -> None:
    failure = explain(error, last)
    assert failure is not None
    assert (failure.status, failure.code) == (status, code)
    assert "secret" not in str(failure)
    assert "Traceback" not in str(failure)


@pytest.mark.parametrize(
    "error", [KeyError("x"), RuntimeError("no name"), ConnectionError("of a tool"), RuntimeError("ReadTimeout: ")]
)
def test_what_the_agents_own_code_raises_is_not_blamed_on_the_model(error: Exception) -> None:
    assert explain(error, LastCall()) is None


def test_the_answer_quotes_what_the_api_said_and_when_it_may_be_asked_again() -> None:
    failure = explain(RuntimeError("RateLimitError: Error code: 429"), failed(status=429, text="busy", retry_after=7))
    assert failure is not None
    assert str(failure) == "The model's API: busy"
    assert failure.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"message": "too long", "type": "x"}}', "too long"),
        (b'{"error": "model not found"}', "model not found"),
        (b'{"detail": [{"loc": ["name"]}]}', '[{"loc": ["name"]}]'),
        (b'{"object": "error", "message": "bad"}', "bad"),
        (b'{"reason": "odd"}', '{"reason": "odd"}'),
        (b"upstream connect error\n or reset", "upstream connect error or reset"),
        (b"<!DOCTYPE html><html><body>secret</body></html>", "it answered with a web page."),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "it gave no reason."),
        (b"x" * 9000, "x" * 500 + "…"),
    ],
)
def test_an_errors_body_is_read_whatever_its_shape(body: bytes, text: str) -> None:
    assert error_text(body) == text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"error": {"code": 429, "message": "slow"}}', 429),
        (b'{ "error": {"code": "rate_limited"}}', 502),
        (b'{"error": null, "choices": []}', 200),
        (b'{"choices": [{"message": {"content": "\\"error\\""}}]}', 200),
        (b'{"error"', 200),
    ],
)
def test_an_error_that_says_200_is_an_error(body: bytes, status: int) -> None:
    assert true_status(200, body) == status


def test_only_the_apis_own_failures_count_against_it() -> None:
    well = {status for status in (200, 400, 401, 403, 404, 422, 429, 500, 503) if outcome_of(status).well}
    assert well == {200, 400, 404, 422}
    assert outcome_of(429) is Outcome.RATE_LIMITED


class Failing(ReplayChatCompletionClient):
    async def create(self, *args: object, **options: object) -> object:  # type: ignore[override]
        raise RateLimitError("slow down")


@pytest.mark.parametrize("in_team", [False, True])
async def test_a_run_raises_the_failure_of_its_model_also_from_within_a_team(*, in_team: bool) -> None:
    model: ChatCompletionClient = Failing([])
    agent = AssistantAgent("a", model)
    with pytest.raises(UpstreamFailure, match="slow down"):
        await events(RoundRobinGroupChat([agent], max_turns=1) if in_team else agent)
