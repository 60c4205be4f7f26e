"""Services as people run them, in the outlines that cost their users something."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiofiles
import yaml
from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import ComponentLoader
from autogen_core.models import ChatCompletionClient
from autogen_ext.models.openai import OpenAIChatCompletionClient
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams

BOUNDED: dict[str, Any] = {"timeout": 10, "max_retries": 1, "api_key": "none"}
SHARED = OpenAIChatCompletionClient(model="gpt-4o-mini", **BOUNDED)
MODEL = {"provider": "OpenAIChatCompletionClient", "config": {"model": "gpt-4o-mini", **BOUNDED}}


async def post_with_a_state_file(text: str) -> str:
    """A POST: the model's YAML and the one state of all users are read, the client is never closed."""
    async with aiofiles.open("model_config.yaml") as file:
        client = ChatCompletionClient.load_component(yaml.safe_load(await file.read()))
    agent = AssistantAgent("assistant", model_client=client)
    if Path("state.json").exists():
        async with aiofiles.open("state.json") as file:
            await agent.load_state(json.loads(await file.read()))
    result = await agent.run(task=text)
    async with aiofiles.open("state.json", "w") as file:
        await file.write(json.dumps(await agent.save_state()))
    return str(result.messages[-1])


async def task_of_a_websocket(text: str) -> None:
    """A team with a person in it, whose word is awaited over the socket."""

    async def word_from_the_socket(prompt: str, token: Any) -> str:
        await asyncio.Event().wait()  # it died
        raise AssertionError

    client = ChatCompletionClient.load_component(MODEL)
    members: list[Any] = [
        AssistantAgent("a", model_client=client),
        UserProxyAgent("user", input_func=word_from_the_socket),
    ]
    await RoundRobinGroupChat(members, termination_condition=MaxMessageTermination(4)).run(task=text)


def message_of_a_session(text: str) -> None:
    """A synchronous framework: every message has a loop of its own."""
    with Path("model_config.yaml").open() as file:
        config = yaml.safe_load(file)
    client = ChatCompletionClient.load_component(config)
    asyncio.run(AssistantAgent("a", model_client=client).run(task=text))


async def swarm_over_one_client(text: str) -> None:
    members: list[Any] = [AssistantAgent(f"agent_{number}", model_client=SHARED) for number in range(10)]
    await SelectorGroupChat(members, model_client=SHARED, termination_condition=MaxMessageTermination(3)).run(task=text)


async def predict(text: str) -> None:
    """A team file is loaded for each request, with one tenant's key in the environment of all."""
    os.environ["OPENAI_API_KEY"] = "of-this-tenant"
    async with aiofiles.open("team.json") as file:
        team = ComponentLoader.load_component(json.loads(await file.read()), expected=RoundRobinGroupChat)
    await team.run(task=text)


async def tool_server_for_each_call(text: str) -> None:
    server = Path(__file__).parents[2] / "agent" / "mcp_servers.py"
    params = StdioServerParams(command=os.environ.get("LAUNCHER", sys.executable), args=[str(server), "tools"])
    async with McpWorkbench(params) as workbench:
        await AssistantAgent("a", model_client=SHARED, workbench=workbench).run(task=text)
