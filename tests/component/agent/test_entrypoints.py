"""Agents in Python: a factory that is called for every request, with what the process shares."""

import asyncio
from pathlib import Path

import pytest
from component.agent.agent_process import running
from component.agent.model_server import ModelServer
from component.agent.specs import spec
from component.agent.test_bad_specs import refused

MODULE = '''
import asyncio
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.tools import FunctionTool
from prewarm_agent import Resources

MODEL = {"provider": "OpenAIChatCompletionClient", "config": {"model": "gpt-4o-mini", "base_url": "URL"}}


async def open_store():
    await asyncio.sleep(0.01)
    return {"greeting": "hello from the store"}


def order_tool():
    def find_order(number: int) -> str:
        """Finds an order."""
        return "shipped"

    return FunctionTool(find_order, description="Finds an order.")


async def support(resources: Resources) -> AssistantAgent:
    client = resources.model_client(MODEL)
    store, again = await asyncio.gather(resources.once("store", open_store), resources.once("store", open_store))
    assert store is again
    tool = await resources.once("order tool", order_tool)
    return AssistantAgent("support", client, system_message=store["greeting"], tools=[tool])


def synchronous(resources: Resources) -> AssistantAgent:
    return AssistantAgent("support", resources.model_client(MODEL), model_client_stream=True)


class Hanging(AssistantAgent):
    """Waits for something that only comes when it is asked something real."""

    async def on_messages_stream(self, messages, cancellation_token):
        if "warm-up" in messages[-1].content:
            await asyncio.sleep(3600)
        async for message in super().on_messages_stream(messages, cancellation_token):
            yield message


def hanging(resources: Resources) -> AssistantAgent:
    return Hanging("support", resources.model_client(MODEL))


kept = []


def same(resources: Resources) -> AssistantAgent:
    kept[:] = kept or [synchronous(resources)]
    return kept[0]


def same_member(resources: Resources) -> RoundRobinGroupChat:
    return RoundRobinGroupChat([same(resources)], max_turns=1)


def broken(resources: Resources) -> AssistantAgent:
    raise KeyError("database")


def configured(resources: Resources) -> AssistantAgent:
    return AssistantAgent("support", resources.named_model("fast"), system_message=resources.config["greeting"])


def wrong_model(resources: Resources) -> AssistantAgent:
    return AssistantAgent("support", resources.model_client(MODEL | {"config": {"modell": "gpt-4o-mini"}}))
'''


@pytest.fixture
def python_path(tmp_path: Path, model: ModelServer) -> str:
    (tmp_path / "my_agents.py").write_text(MODULE.replace("URL", model.url))
    (tmp_path / "half_installed.py").write_text("import a_missing_dependency\n")
    return str(tmp_path)


async def test_a_factory_gets_shared_resources_and_makes_fresh_agents(model: ModelServer, python_path: str) -> None:
    async with running(spec(entrypoint="my_agents:support"), PYTHONPATH=python_path) as agent:
        await agent.warm()
        assert model.conversations == []
        built = await agent.metric("prewarm_agent_resources_built_total")
        assert await asyncio.gather(*(agent.ask(f"hello {number}") for number in range(20))) == [
            f"heard 2: hello {number}" for number in range(20)
        ]
        assert await agent.metric("prewarm_agent_resources_built_total") == built
        kinds = ("model_client", "http_client", "ssl_context", "custom", "tool")
        assert [built[f'{{kind="{kind}"}}'] for kind in kinds] == [1, 1, 1, 1, 1]
        assert model.conversations[0][0]["content"] == "hello from the store"


async def test_a_synchronous_factory_whose_agent_streams_is_streamed(python_path: str) -> None:
    async with running(spec(entrypoint="my_agents:synchronous"), PYTHONPATH=python_path) as agent:
        await agent.warm()
        async with agent.openai() as client:
            messages = [{"role": "user", "content": "hello"}]
            stream = await client.chat.completions.create(model="support", messages=messages, stream=True)
            deltas = [chunk.choices[0].delta.content async for chunk in stream]
        assert [delta for delta in deltas if delta] == ["heard ", "2: ", "hello"]


async def test_a_rehearsal_that_hangs_ends_before_the_time_of_the_startup_probe(python_path: str) -> None:
    warmup = {"mode": "offline", "timeoutSeconds": 16}
    async with running(spec(entrypoint="my_agents:hanging", warmup=warmup), PYTHONPATH=python_path) as agent:
        await agent.warm()  # two runs of 16 seconds would be more than it waits
        assert [entry["message"] for entry in agent.log].count("rehearsal failed") == 2
        assert await agent.ask("hello") == "heard 2: hello"


@pytest.mark.parametrize(
    ("entrypoint", "reason", "text"),
    [
        ("half_installed:agent", "ModuleNotFound", "No module named 'a_missing_dependency'"),
        ("my_agents:broken", "FactoryFailed", "the factory raised KeyError: 'database'"),
        ("my_agents:same", "FactoryFailed", "the factory returned the same object twice"),
        ("my_agents:same_member", "FactoryFailed", "a new agent remembers what another one heard"),
        ("my_agents:wrong_model", "UnknownKey", "model_client.config.modell: is not a known key"),
    ],
)
async def test_a_factory_that_cannot_serve_is_refused(
    python_path: str, entrypoint: str, reason: str, text: str
) -> None:
    message = await refused(spec(entrypoint=entrypoint), PYTHONPATH=python_path)
    assert (message["reason"], message["path"]) == (reason, "agent.entrypoint")
    assert text in message["message"]


async def test_a_factory_finds_its_settings_and_the_models_of_the_spec_by_name(
    model: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "configured.py").write_text(MODULE.replace("URL", model.url))
    settings = {"entrypoint": "configured:configured", "config": {"greeting": "Be kind."}}
    client = {
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "config": {"model": "gpt-4o-mini", "base_url": model.url},
    }
    document = spec(entrypoint="x:y") | {"agent": settings, "models": [{"name": "fast", "component": client}]}
    async with running(document, PYTHONPATH=str(tmp_path)) as agent:
        await agent.warm()
        await agent.ask("hello")
    assert model.conversations[-1][0] == {"content": "Be kind.", "role": "system"}


async def test_a_model_that_nobody_declared_is_told_by_its_name(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "undeclared.py").write_text(MODULE.replace("URL", model.url))
    message = await refused(spec(entrypoint="undeclared:configured"), PYTHONPATH=str(tmp_path))
    assert "there is no model named 'fast'" in message["message"]
