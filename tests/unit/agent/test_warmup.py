"""What is proven before a pod is ready, and again on demand."""

import asyncio
import json
from pathlib import Path

import pytest
from component.agent.specs import assistant, spec

from prewarm_agent import Resources
from prewarm_agent.framework.loading import modules_for
from prewarm_agent.settings import Settings
from prewarm_agent.spec.document import parse
from prewarm_agent.startup import warmup
from prewarm_agent.startup.phases import Startup
from prewarm_agent.startup.state import Lifecycle


@pytest.fixture
def startup() -> Startup:
    """Of an agent with nothing to prove yet."""
    made = Startup(Settings.resolve(environ={}), Lifecycle())
    made.spec = parse(spec(entrypoint="support:agent", warmup={"mode": "connect"}))
    made.resources = Resources(connections=1, read_timeout_seconds=1)
    return made


async def test_who_asks_during_an_attempt_gets_that_one(startup: Startup) -> None:
    calls = 0

    async def ping(value: str) -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        raise OSError(f"{value} is down")

    await startup.resources.once("store", lambda: "the store", warmup=ping)
    results = await asyncio.gather(*(warmup.again(startup) for _ in range(3)))
    lacking = {"warm-up of store": "The warm-up of store raised OSError: the store is down."}
    assert (results, calls) == ([lacking] * 3, 1)
    assert startup.lifecycle.transient_errors == lacking
    await warmup.again(startup)
    assert calls == 2


async def test_a_warm_up_that_hangs_is_given_up(startup: Startup) -> None:
    async def ping(_: str) -> None:
        await asyncio.sleep(60)

    startup.spec.warmup.timeout_seconds = 1
    await startup.resources.once("store", lambda: "the store", warmup=ping)
    assert await warmup.again(startup) == {"warm-up of store": "The warm-up of store did not end within 0.2 s."}


async def test_an_attempt_of_the_pool_does_not_stand_for_the_agents(startup: Startup) -> None:
    called = asyncio.Event()

    async def ping(_: str) -> None:
        called.set()

    async def pools() -> dict[str, str]:
        await asyncio.sleep(0.01)
        return {}

    startup.attempt = asyncio.create_task(pools())
    await startup.resources.once("store", lambda: "the store", warmup=ping)
    await warmup.prove(startup)
    assert called.is_set()


async def test_one_who_leaves_does_not_take_the_attempt_from_the_others(startup: Startup) -> None:
    async def ping(_: str) -> None:
        await asyncio.sleep(0.02)

    await startup.resources.once("store", lambda: "the store", warmup=ping)
    leaver, other = (asyncio.ensure_future(warmup.again(startup)) for _ in range(2))
    await asyncio.sleep(0.005)
    leaver.cancel()
    assert await other == {}


@pytest.mark.parametrize(
    ("document", "imported", "left_out"),
    [
        (spec(assistant("http://model")), ["models.openai"], ["models.anthropic", "tools.mcp"]),
        (spec(entrypoint="support:agent"), ["models.openai"], ["models.anthropic"]),
        (
            {"models": [{"component": {"provider": "autogen_ext.models.ollama.OllamaChatCompletionClient"}}]},
            ["models.ollama"],
            ["models.openai"],
        ),
        ({"tools": {"provider": "autogen_ext.tools.mcp.McpWorkbench"}}, ["tools.mcp"], []),
        ({"agent": {"provider": "antigravity.Fly"}}, [], ["antigravity", "models.anthropic"]),
        ("not an object", [], ["models.anthropic"]),
    ],
)
def test_only_what_a_document_names_is_imported(
    tmp_path: Path, document: object, imported: list[str], left_out: list[str]
) -> None:
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(document))
    modules = modules_for(path)
    assert [name for name in imported if f"autogen_ext.{name}" not in modules] == []
    assert [name for name in left_out if any(module.endswith(name) for module in modules)] == []
