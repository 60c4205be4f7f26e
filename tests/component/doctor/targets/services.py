"""Agents as people build them, each with one habit: what `prewarm-agent doctor` must name, and must not."""

import asyncio
import json
import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient


def client(**settings: Any) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model="gpt-4o-mini", api_key="none", **({"timeout": 10, "max_retries": 1} | settings)
    )


SHARED = client()


def good(resources: Any) -> AssistantAgent:
    """The client is shared, the agent is fresh."""
    component = {
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "config": {"model": "gpt-4o-mini", "api_key": "none", "timeout": 10, "max_retries": 1},
    }
    return AssistantAgent("good", model_client=resources.model_client(component))


async def client_per_request(text: str) -> str:
    model = client()
    result = await AssistantAgent("a", model_client=model).run(task=text)
    await model.close()
    return str(result.messages[-1])


_lazy: list[OpenAIChatCompletionClient] = []


async def client_on_first_request(text: str) -> None:
    if not _lazy:
        _lazy.append(client())
    await AssistantAgent("a", model_client=_lazy[0]).run(task=text)


def make_one_agent() -> AssistantAgent:
    return _ONE


_ONE = AssistantAgent("one", model_client=SHARED)
shared_team = RoundRobinGroupChat(
    [AssistantAgent("member", model_client=SHARED)], termination_condition=MaxMessageTermination(2)
)


async def blocked_loop(text: str) -> None:
    time.sleep(0.3)
    await AssistantAgent("a", model_client=SHARED).run(task=text)


async def awaits_politely(text: str) -> None:
    await asyncio.sleep(0.3)
    await asyncio.to_thread(time.sleep, 0.3)
    await AssistantAgent("a", model_client=SHARED).run(task=text)


_store: list[bytes] = []


async def network_on_first_use(text: str) -> None:
    if not _store:
        _store.append(await asyncio.to_thread(_fetch))
    await AssistantAgent("a", model_client=SHARED).run(task=text)


def _fetch() -> bytes:
    with urllib.request.urlopen(os.environ["STORE"], timeout=10) as answer:
        return bytes(answer.read())


async def process_per_request(text: str) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass")
    await child.wait()
    await AssistantAgent("a", model_client=SHARED).run(task=text)


async def state_file(text: str) -> None:
    file = Path("state.json")
    state = json.loads(file.read_text()) if file.exists() else {}
    await AssistantAgent("a", model_client=SHARED).run(task=text)
    file.write_text(json.dumps({**state, "last": text}))


async def environment(text: str) -> None:
    os.environ["TENANT_KEY"] = text
    await AssistantAgent("a", model_client=SHARED).run(task=text)


async def looks_for_run_sync(text: str) -> None:
    AssistantAgent("a", model_client=SHARED).run_sync(task=text)  # type: ignore[attr-defined]


async def asyncio_run(text: str) -> None:
    asyncio.run(AssistantAgent("a", model_client=SHARED).run(task=text))  # type: ignore[arg-type]


FLAKY = client(base_url=os.environ.get("FLAKY", "http://localhost:1"), max_retries=2)


async def first_call_fails(text: str) -> None:
    await AssistantAgent("a", model_client=FLAKY).run(task=text)


def returns_a_string() -> str:
    return "no agent"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that builds a client for each POST."""
    body = json.loads((await receive())["body"])
    await client_per_request(body["message"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})
