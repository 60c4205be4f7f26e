"""What is built once."""

import asyncio

import pytest
from component.agent.specs import model_client

from prewarm_agent import Resources, metrics
from prewarm_agent.framework.blueprint import FactoryBlueprint
from prewarm_agent.framework.http_client import Rehearsal, rehearsal
from prewarm_agent.spec.findings import PermanentError

URL = "http://model/v1"


@pytest.fixture
def resources(monkeypatch: pytest.MonkeyPatch) -> Resources:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    return Resources(connections=10, read_timeout_seconds=5)


def built(kind: str) -> float:
    return metrics.resources_built.labels(kind=kind)._value.get()


async def test_equal_components_give_one_client(resources: Resources) -> None:
    before = {kind: built(kind) for kind in ("model_client", "http_client", "ssl_context")}
    first = resources.model_client(model_client(URL))
    relabelled = dict(reversed(model_client(URL).items())) | {"label": "x", "provider": "OpenAIChatCompletionClient"}
    assert resources.model_client(relabelled) is first
    assert resources.model_client(model_client(URL, temperature=0)) is not first
    assert {kind: built(kind) - count for kind, count in before.items()} == {
        "model_client": 2, "http_client": 2, "ssl_context": 1,
    }  # fmt: skip
    await resources.close()


@pytest.mark.parametrize(
    ("component", "reason", "path"),
    [
        ({"provider": "os.system", "config": {}}, "ProviderNotAllowed", "model_client.provider"),
        ({}, "ProviderNotAllowed", "model_client.provider"),
        (model_client(URL, temperatur=1), "UnknownKey", "model_client.config.temperatur"),
        (model_client(URL, temperature="hot"), "InvalidConfig", "model_client.config.temperature"),
        (model_client(URL, api_key="**********"), "MissingSecret", "model_client.config.api_key"),
        (model_client(URL, api_key=""), "MissingSecret", "model_client.config.api_key"),
    ],
)
def test_a_client_that_cannot_be_built_says_why(
    resources: Resources, component: dict[str, object], reason: str, path: str
) -> None:
    with pytest.raises(PermanentError) as raised:
        resources.model_client(component)
    assert (raised.value.reason.value, raised.value.path) == (reason, path)


@pytest.mark.parametrize(
    ("provider", "config", "variable"),
    [
        ("OpenAIChatCompletionClient", {"model": "gpt-4o"}, "OPENAI_API_KEY"),
        ("OpenAIChatCompletionClient", {"model": "gemini-2.0-flash"}, "GEMINI_API_KEY"),
        (
            "AzureOpenAIChatCompletionClient",
            {"model": "gpt-4o", "azure_endpoint": "https://x", "api_version": "2024-06-01"},
            "AZURE_OPENAI_API_KEY",
        ),
    ],
)
async def test_the_variable_that_a_client_needs_is_named(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, provider: str, config: dict[str, str], variable: str
) -> None:
    component = {"provider": provider, "config": config}
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(PermanentError, match=f"{variable} is not set"):
        resources.model_client(component)
    monkeypatch.setenv(variable, "a key")
    assert resources.model_client(component) is not None
    await resources.close()


async def test_concurrent_first_uses_wait_for_one_build(resources: Resources) -> None:
    builds = 0

    async def build() -> object:
        nonlocal builds
        builds += 1
        await asyncio.sleep(0.01)
        return object()

    values = await asyncio.gather(*(resources.once("x", build) for _ in range(5)))
    assert len(set(map(id, values))) == builds == 1


async def test_a_build_that_fails_is_tried_again_at_the_next_use(resources: Resources) -> None:
    outcomes = iter([OSError("down"), "up"])

    def build() -> str:
        if isinstance(outcome := next(outcomes), OSError):
            raise outcome
        return outcome

    with pytest.raises(OSError, match="down"):
        await resources.once("x", build)
    await asyncio.sleep(0)
    assert await resources.once("x", build) == "up"


async def test_a_user_who_leaves_does_not_take_the_build_from_the_others(resources: Resources) -> None:
    async def build() -> str:
        await asyncio.sleep(0.02)
        return "built"

    leaver = asyncio.ensure_future(resources.once("x", build))
    await asyncio.sleep(0)
    other = asyncio.ensure_future(resources.once("x", build))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await other == "built"


async def test_a_factory_that_shares_its_agent_is_refused(resources: Resources) -> None:
    from autogen_agentchat.agents import AssistantAgent

    agent = AssistantAgent("a", resources.model_client(model_client(URL)))
    with pytest.raises(PermanentError, match="returned the same object twice"):
        await FactoryBlueprint(lambda _: agent, resources).prove()
    with pytest.raises(PermanentError, match="it returned str, not an AutoGen agent or team"):
        await FactoryBlueprint(lambda _: "agent", resources).prove()
    await resources.close()


async def test_what_is_built_for_all_does_not_carry_the_context_of_who_asked_first(resources: Resources) -> None:
    with_rehearsal = rehearsal.set(Rehearsal(stop=lambda: None))
    try:
        assert await resources.once("x", rehearsal.get) is None
    finally:
        rehearsal.reset(with_rehearsal)
