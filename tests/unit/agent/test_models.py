"""Model clients from components: what is shared, what they are called, what is missing."""

import ssl
import sys

import httpx2
import pytest
from component.agent.specs import model_client

from prewarm_agent.framework.anthropic_client import SharedAnthropicClient
from prewarm_agent.framework.http_client import HTTPSettings
from prewarm_agent.framework.model_pool import ModelPool
from prewarm_agent.framework.ollama_client import SharedOllamaClient
from prewarm_agent.spec.findings import PermanentError

URL = "http://model/v1"
HTTP = HTTPSettings(ssl.create_default_context(), 10, 5, lambda _: None)
AZURE = {"provider": "AzureOpenAIChatCompletionClient", "config": {"model": "gpt-4o"}}
ANTHROPIC = {
    "provider": "autogen_ext.models.anthropic.AnthropicChatCompletionClient",
    "config": {"model": "claude-3-5-sonnet-20241022"},
}
OLLAMA = {"provider": "autogen_ext.models.ollama.OllamaChatCompletionClient", "config": {"model": "llama3.2"}}
VARIABLES = (
    "OPENAI_API_KEY", "OPENAI_API_VERSION", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_ENDPOINT",
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OLLAMA_HOST",
)  # fmt: skip


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> ModelPool:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    return ModelPool(lambda: HTTP)


def named(name: str) -> dict[str, object]:
    return {"provider": "prewarm.NamedModel", "config": {"name": name}}


def test_each_configuration_has_a_name_that_no_other_has(pool: ModelPool) -> None:
    models = [pool.get(model_client(URL, temperature=temperature), "x") for temperature in (0, 0.5, 0, 1)]
    assert [shared.name for shared in models] == ["gpt-4o-mini", "gpt-4o-mini-2", "gpt-4o-mini", "gpt-4o-mini-3"]
    assert models[0] is models[2]


def test_a_named_model_is_the_same_as_an_equal_one_that_is_written_out(pool: ModelPool) -> None:
    pool.add("fast", model_client(URL), "models[0].component")
    assert pool.get(named("fast"), "x") is pool.get(model_client(URL), "y") is pool.named("fast", "z")
    assert [shared.name for shared in pool.models] == ["fast"]


def test_a_name_that_is_taken_or_unknown_is_a_finding(pool: ModelPool) -> None:
    pool.add("fast", model_client(URL), "models[0].component")
    with pytest.raises(PermanentError, match="'fast' names two models"):
        pool.add("fast", model_client(URL, temperature=0), "models[1].component")
    with pytest.raises(PermanentError, match="there is no model named 'slow'; use one of: fast") as raised:
        pool.get(named("slow"), "agent.component.config.model_client")
    assert raised.value.path == "agent.component.config.model_client.config.name"


def test_every_field_that_azure_lacks_is_named_with_the_variable_that_may_hold_it(
    pool: ModelPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PermanentError) as raised:
        pool.get(AZURE, "x")
    assert [(finding.path, finding.text.rpartition(" ")[2]) for finding in raised.value.findings] == [
        ("x.config.azure_endpoint", "AZURE_OPENAI_ENDPOINT."),
        ("x.config.api_version", "OPENAI_API_VERSION."),
    ]
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-06-01")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "a token")
    assert pool.get(AZURE, "x").model == "gpt-4o"


def test_only_azures_class_is_asked_for_tokens(pool: ModelPool) -> None:
    config = {"azure_endpoint": "https://mine.openai.azure.com", "api_version": "2024-06-01", "model": "gpt-4o"}
    other = {"provider": "antigravity.X", "config": {}}
    with pytest.raises(PermanentError, match="azure_ad_token_provider is not"):
        pool.get({**AZURE, "config": {**config, "azure_ad_token_provider": other}}, "x")
    assert "antigravity" not in sys.modules


def test_anthropic_needs_its_own_key_and_ollama_none(pool: ModelPool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(pool.get(OLLAMA, "x").client, SharedOllamaClient)
    with pytest.raises(PermanentError, match="ANTHROPIC_API_KEY is not set"):
        pool.get(ANTHROPIC, "x")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "a token")
    assert isinstance(pool.get(ANTHROPIC, "x").client, SharedAnthropicClient)


@pytest.mark.parametrize("component", [ANTHROPIC, OLLAMA, AZURE, model_client(URL)], ids=lambda it: it["provider"])
def test_a_model_that_autogen_does_not_know_is_assumed_to_do_what_its_api_says(
    pool: ModelPool, monkeypatch: pytest.MonkeyPatch, component: dict[str, dict[str, object]]
) -> None:
    for variable in ("ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "OPENAI_API_VERSION"):
        monkeypatch.setenv(variable, "x")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com")
    unknown = {**component, "config": {**component["config"], "model": "my-own"}}
    info = pool.get(unknown, "x").client.model_info
    assert (info["function_calling"], info["json_output"], info["vision"]) == (True, True, False)


@pytest.mark.parametrize("component", [ANTHROPIC, model_client(URL)], ids=lambda it: it["provider"])
def test_each_sdk_retries_as_often_as_is_written_down_and_waits_as_long(
    pool: ModelPool, monkeypatch: pytest.MonkeyPatch, component: dict[str, dict[str, object]]
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    config = {key: value for key, value in component["config"].items() if key != "max_retries"}
    sdk = pool.get({**component, "config": config}, "x").client._client  # type: ignore[attr-defined]
    assert sdk.max_retries == 2
    assert sdk.timeout == httpx2.Timeout(5, connect=5)
    once = pool.get({**component, "config": {**config, "max_retries": 0, "timeout": 1}}, "x").client._client  # type: ignore[attr-defined]
    assert (once.max_retries, once.timeout) == (0, 1)


def test_ollama_keeps_the_headers_and_the_timeout_that_its_sdk_would_drop(pool: ModelPool) -> None:
    config = {**OLLAMA["config"], "headers": {"x-tenant": "ours"}, "timeout": 1}  # type: ignore[dict-item]
    http = pool.get({**OLLAMA, "config": config}, "x").client._client._client  # type: ignore[attr-defined]
    assert http.headers["x-tenant"] == "ours"
    assert http.timeout.read == 1
    default = pool.get(OLLAMA, "x").client._client._client  # type: ignore[attr-defined]
    assert default.timeout.read == 5


def test_two_agents_on_one_anthropic_client_show_their_own_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextvars import copy_context

    from autogen_core.models import FunctionExecutionResultMessage

    from prewarm_agent.framework.anthropic_client import _tools_for

    tools_of = {name: [{"name": name, "description": "", "parameters": {}}] for name in "ab"}
    contexts = {name: copy_context() for name in "ab"}
    for name in "ab":
        contexts[name].run(_tools_for, [], tools_of[name])  # type: ignore[arg-type]
    results = [FunctionExecutionResultMessage(content=[])]
    assert [contexts[name].run(_tools_for, results, ()) for name in "ab"] == [tools_of["a"], tools_of["b"]]
    assert contexts["a"].run(_tools_for, [], ()) == ()
