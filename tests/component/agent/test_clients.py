"""Each vendor's client against its own wire format, from an offline start to an answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec

KEYS = {
    "OPENAI_API_KEY": "",
    "ANTHROPIC_API_KEY": "key-of-anthropic",
    "AZURE_OPENAI_API_KEY": "key-of-azure",
}


def client(vendor: str, url: str) -> dict[str, Any]:
    root = url.removesuffix("/v1")
    provider, config = {
        "azure": (
            "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
            {"model": "gpt-4o", "azure_endpoint": root, "azure_deployment": "mine", "api_version": "2024-06-01"},
        ),
        "azure-token": (
            "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
            {
                "model": "gpt-4o", "azure_endpoint": root, "azure_deployment": "mine", "api_version": "2024-06-01",
                "azure_ad_token": "token-of-azure",
            },
        ),
        "anthropic": (
            "autogen_ext.models.anthropic.AnthropicChatCompletionClient",
            {"model": "claude-3-5-sonnet-20241022", "base_url": root},
        ),
        "ollama": (
            "autogen_ext.models.ollama.OllamaChatCompletionClient",
            {"model": "llama3.2", "host": root, "headers": {"x-tenant": "ours"}},
        ),
    }[vendor]  # fmt: skip
    retries = {} if vendor == "ollama" else {"max_retries": 0}
    return {"provider": provider, "component_type": "model", "config": {**config, **retries}}


EXPECTED_HEADER = {
    "azure": ("api-key", "key-of-azure"),
    "azure-token": ("authorization", "Bearer token-of-azure"),
    "anthropic": ("authorization", "Bearer key-of-anthropic"),
    "ollama": ("x-tenant", "ours"),
}
PATHS = {
    "azure": "/openai/deployments/mine/chat/completions?api-version=2024-06-01",
    "azure-token": "/openai/deployments/mine/chat/completions?api-version=2024-06-01",
    "anthropic": "/v1/messages",
    "ollama": "/api/chat",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["azure", "azure-token", "anthropic", "ollama"])
async def vendor(
    request: pytest.FixtureRequest, model_api: ModelServer
) -> AsyncIterator[tuple[str, AgentProcess, list[list[dict[str, Any]]]]]:
    """A warm agent on the vendor's client, and what the model was asked before it was warm."""
    component = assistant(model_api.url, model_client=client(request.param, model_api.url))
    environment = KEYS if request.param != "azure-token" else {**KEYS, "AZURE_OPENAI_API_KEY": ""}
    model_api.forget()
    async with running(spec(component), **environment) as process:
        await process.warm()
        yield request.param, process, list(model_api.conversations)


Vendor = tuple[str, AgentProcess, list[list[dict[str, Any]]]]


async def test_the_rehearsal_of_each_vendor_works_and_sends_nothing(vendor: Vendor) -> None:
    _, agent, asked = vendor
    assert asked == []
    assert "rehearsal failed" not in [entry["message"] for entry in agent.log]


async def test_an_answer_comes_from_the_vendor_with_usage_and_its_key(vendor: Vendor, model: ModelServer) -> None:
    name, agent, _ = vendor
    async with agent.openai() as sdk:
        messages = [{"role": "user", "content": "hello"}]
        plain = await sdk.chat.completions.create(model="support", messages=messages)
        stream = await sdk.chat.completions.create(model="support", messages=messages, stream=True)
        chunks = [chunk async for chunk in stream]
    text = plain.choices[0].message.content
    assert text is not None
    assert text.endswith(": hello")
    assert plain.usage is not None
    assert plain.usage.total_tokens == 7
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(deltas) == text
    assert len(deltas) > 1
    header, value = EXPECTED_HEADER[name]
    assert [headers[header] for headers in model.headers] == [value, value]
    assert set(model.paths) == {PATHS[name]}
    assert value not in json.dumps(agent.log)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("STATUS=400", 400, "upstream_bad_request"),
        ("STATUS=422", 400, "upstream_bad_request"),
        ("STATUS=401", 502, "upstream_refused_key"),
        ("STATUS=404", 502, "upstream_not_found"),
        ("STATUS=429 RETRY_AFTER=7", 429, "upstream_rate_limit"),
        ("STATUS=503", 502, "upstream_error"),
        ("HTML", 502, "upstream_error"),
        ("PLAIN", 502, "upstream_error"),
        ("PAGE", 502, "upstream_error"),
    ],
)
async def test_each_vendors_errors_become_the_same_answers(vendor: Vendor, text: str, status: int, code: str) -> None:
    _, agent, _ = vendor
    answer = await agent.post(text)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert "<html" not in error["message"]
    # What is said about a refused key quotes parts of it, and is not for users.
    assert ("told to refuse" in error["message"]) == (text.startswith("STATUS") and "401" not in text)


async def test_tools_work_with_each_vendor(vendor: Vendor, model: ModelServer) -> None:
    name, _, _ = vendor
    tool = {
        "provider": "autogen_core.tools.FunctionTool",
        "component_type": "tool",
        "component_version": 1,
        "config": {
            "name": "add", "description": "Adds.", "global_imports": [], "has_cancellation_support": False,
            "source_code": "def add(a: int, b: int) -> str:\n    return f'sum {a + b}'\n",
        },
    }  # fmt: skip
    static = {"provider": "autogen_core.tools.StaticWorkbench", "component_type": "workbench", "component_version": 1}
    component = assistant(
        model.url,
        model_client=client(name, model.url),
        workbench=[{**static, "config": {"tools": [tool]}}],
        reflect_on_tool_use=True,
    )
    environment = KEYS if name != "azure-token" else {**KEYS, "AZURE_OPENAI_API_KEY": ""}
    async with running(spec(component, security={"allowCode": True}), **environment) as agent:
        await agent.warm()
        answers = await asyncio.gather(*(agent.ask(f'CALL=add {{"a": {number}, "b": 1}}') for number in range(5)))
        built = await agent.metric("prewarm_agent_resources_built_total")
    assert [answer.rpartition(": ")[2] for answer in answers] == [f"sum {number + 1}" for number in range(5)]
    assert built['{kind="tool"}'] == 1


async def test_sampling_parameters_reach_anthropic_though_its_sdk_has_given_them_up(model: ModelServer) -> None:
    sampled = client("anthropic", model.url)
    sampled["config"] |= {"temperature": 0.25, "top_k": 3}
    async with running(spec(assistant(model.url, model_client=sampled)), **KEYS) as agent:
        await agent.warm()
        await agent.ask("hello")
    assert (model.bodies[0]["temperature"], model.bodies[0]["top_k"]) == (0.25, 3)


async def test_a_model_that_nobody_knows_is_served_with_a_warning(model: ModelServer) -> None:
    component = assistant(model.url, model_client=model_client(model.url, model="my-own-model"))
    async with running(spec(component)) as agent:
        await agent.warm()
        assert await agent.ask("hello") == "heard 2: hello"
        warning = next(entry for entry in agent.log if entry["message"] == "unknown model, set model_info")
        assert warning["model"] == "my-own-model"


async def test_an_odd_server_without_usage_and_with_more_fields_is_understood(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent, agent.openai() as sdk:
        await agent.warm()
        messages = [{"role": "user", "content": "BARE"}]
        plain = await sdk.chat.completions.create(model="support", messages=messages)
        assert plain.choices[0].message.content == "heard 2: BARE"
        assert plain.usage is None
        lie = await agent.post("LIE")
        assert (lie.status_code, lie.json()["error"]["code"]) == (429, "upstream_rate_limit")
        assert "told to lie" in lie.json()["error"]["message"]
