"""What /livez says of an event loop that a user's code holds."""

import asyncio
from pathlib import Path

import httpx
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import spec

MODULE = """
import asyncio
import time

from autogen_agentchat.agents import AssistantAgent
from prewarm_agent import Resources
from prewarm_agent.observe import watchdog

watchdog.STUCK_SECONDS = 0.2
watchdog.INTERVAL_SECONDS = 0.1
watchdog.GIVE_UP_SECONDS = 2.0
holding = set()


async def hold(seconds: float, times: int) -> str:
    async def again():
        for _ in range(times):
            time.sleep(seconds)
            await asyncio.sleep(0)

    holding.add(asyncio.create_task(again()))
    return "held"


def support(resources: Resources) -> AssistantAgent:
    config = {"model": "gpt-4o-mini", "base_url": "URL"}
    client = resources.model_client({"provider": "OpenAIChatCompletionClient", "config": config})
    return AssistantAgent("support", client, tools=[hold])
"""


async def livez(agent: AgentProcess) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.get(f"http://127.0.0.1:{agent.probe_port}/livez")


async def test_a_loop_that_is_held_again_and_again_is_not_live_and_one_long_call_is_forgiven(
    model: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "held.py").write_text(MODULE.replace("URL", model.url))
    async with running(spec(entrypoint="held:support"), PYTHONPATH=str(tmp_path)) as agent:
        await agent.warm()
        assert "held" in await agent.ask('CALL=hold {"seconds": 3, "times": 1}')
        assert (await livez(agent)).status_code == 200
        await agent.ask('CALL=hold {"seconds": 0.5, "times": 12}')
        async with asyncio.timeout(15):
            while (answer := await livez(agent)).status_code == 200:
                await asyncio.sleep(0.1)
        assert answer.status_code == 503
        assert answer.json()["status"] == "stuck"
        assert answer.json()["error"].startswith("For 2 s the event loop has been more than 0.2 s late each time")
        async with asyncio.timeout(30):
            while (await livez(agent)).status_code != 200:
                await asyncio.sleep(0.1)
        messages = [entry["message"] for entry in agent.log]
        assert messages.count("event loop given up") == messages.count("event loop turns again") == 1
        assert any("again" in line for entry in agent.log if "where" in entry for line in entry["where"])
