"""What a failed model call becomes: an outcome for the load, an answer for the client."""

import json
import traceback

import anthropic
import httpx2
import ollama
import openai
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient
from unit.agent.test_session import events

from prewarm_agent.framework.error_body import error_status, error_text, true_status
from prewarm_agent.framework.upstream import LastCall, Outcome, UpstreamFailure, explain, outcome_of

REQUEST = httpx2.Request("POST", "http://model/v1/chat/completions")


class RateLimitError(Exception):
    """A user's own, named as the SDKs'."""


def answered(kind: type[openai.APIStatusError | anthropic.APIStatusError], status: int, text: str = "") -> Exception:
    return kind(text, response=httpx2.Response(status, request=REQUEST), body=None)


def of_a_team(error: Exception) -> RuntimeError:
    """What a team makes of an error of one of its members."""
    whole = "\n".join(traceback.format_exception(error))
    return RuntimeError(f"{type(error).__name__}: {error}\nTraceback:\n{whole}")


def failed(**facts: object) -> LastCall:
    last = LastCall()
    last.fail(**facts)  # type: ignore[arg-type]
    return last


@pytest.mark.parametrize(
    ("error", "last", "status", "code"),
    [
        (answered(openai.RateLimitError, 429), LastCall(), 429, "upstream_rate_limit"),
        (of_a_team(answered(openai.RateLimitError, 429, "slow")), LastCall(), 429, "upstream_rate_limit"),
        (of_a_team(answered(anthropic.RateLimitError, 429, "slow")), LastCall(), 429, "upstream_rate_limit"),
        (of_a_team(of_a_team(answered(openai.RateLimitError, 429))), LastCall(), 429, "upstream_rate_limit"),
        (of_a_team(openai.APITimeoutError(REQUEST)), LastCall(), 504, "upstream_timeout"),
        (of_a_team(answered(openai.APIStatusError, 418)), failed(status=418), 502, "upstream_error"),
        (answered(openai.APIStatusError, 413), LastCall(), 400, "upstream_bad_request"),
        (answered(openai.APIStatusError, 422), LastCall(), 400, "upstream_bad_request"),
        (answered(openai.APIStatusError, 404), LastCall(), 502, "upstream_not_found"),
        (answered(anthropic.APIStatusError, 529), LastCall(), 502, "upstream_error"),
        (of_a_team(answered(openai.AuthenticationError, 401, "secret")), LastCall(), 502, "upstream_refused_key"),
        (openai.APIConnectionError(request=REQUEST), LastCall(), 502, "upstream_unreachable"),
        (openai.APIError("slow", REQUEST, body=None), failed(status=429), 429, "upstream_rate_limit"),
        (ollama.ResponseError("model 'x' not found", 404), failed(status=404), 502, "upstream_not_found"),
        (ollama.ResponseError("out of memory", -1), failed(), 502, "upstream_error"),
        (of_a_team(ollama.ResponseError("later", 429)), failed(status=429), 429, "upstream_rate_limit"),
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
    "error",
    [
        KeyError("x"),
        RuntimeError("no name"),
        ConnectionError("of a tool"),
        RuntimeError("ReadTimeout: "),
        RateLimitError("of a shop"),
        of_a_team(RateLimitError("of a shop")),
        of_a_team(of_a_team(RateLimitError("of a shop"))),
        RuntimeError("RuntimeError"),
        RuntimeError("RateLimitError: of a shop"),
    ],
)
def test_what_the_agents_own_code_raises_is_not_blamed_on_the_model(error: Exception) -> None:
    assert explain(error, LastCall()) is None


def test_the_answer_quotes_what_the_api_said_and_when_it_may_be_asked_again() -> None:
    failure = explain(of_a_team(answered(openai.RateLimitError, 429)), failed(status=429, text="busy", retry_after=7))
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


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 429}, 429),
        ({"code": "503"}, 503),
        ({"code": "rate_limit_exceeded", "type": "requests"}, 429),
        ({"code": None, "type": "invalid_request_error"}, 400),
        ({"status": 400, "type": "x"}, 400),
        ({"code": 7}, 502),
        ({"code": "9" * 5000}, 502),
        ({"code": ["odd"]}, 502),
        ("broken", 502),
        (None, None),
    ],
)
def test_an_error_without_a_status_of_its_own_has_that_which_it_names(error: object, status: int | None) -> None:
    assert error_status(json.dumps({"choices": [], "error": error}).encode()) == status


@pytest.mark.parametrize(
    "body", [b'"error"', b'{"error"', b'[{"error": 1}]', b'{"errors": 1}', b"[" * 100_000 + b'"error"']
)
def test_what_tells_of_no_error(body: bytes) -> None:
    assert error_status(body) is None


def test_only_the_apis_own_failures_count_against_it() -> None:
    well = {status for status in (200, 400, 401, 403, 404, 422, 429, 500, 503) if outcome_of(status).well}
    assert well == {200, 400, 404, 422}
    assert outcome_of(429) is Outcome.RATE_LIMITED


class Failing(ReplayChatCompletionClient):
    def __init__(self, error: Exception) -> None:
        super().__init__([])
        self._error = error

    async def create(self, *args: object, **options: object) -> object:  # type: ignore[override]
        raise self._error


def failing(error: Exception, *, in_team: bool) -> AssistantAgent | RoundRobinGroupChat:
    agent = AssistantAgent("a", Failing(error))
    return RoundRobinGroupChat([agent], max_turns=1) if in_team else agent


@pytest.mark.parametrize("in_team", [False, True])
async def test_a_run_raises_the_failure_of_its_model_also_from_within_a_team(*, in_team: bool) -> None:
    error = answered(openai.RateLimitError, 429, "slow down")
    with pytest.raises(UpstreamFailure, match="slow down"):
        await events(failing(error, in_team=in_team))


@pytest.mark.parametrize("in_team", [False, True])
async def test_a_users_own_error_that_is_named_as_the_sdks_is_the_users(*, in_team: bool) -> None:
    with pytest.raises((RateLimitError, RuntimeError)):
        await events(failing(RateLimitError("of a shop"), in_team=in_team))
