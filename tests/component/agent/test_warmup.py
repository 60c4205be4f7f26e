"""Warm-up in its modes, required or not, with a model's API that is there or is not."""

import asyncio
import socket
from pathlib import Path
from typing import Any

from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer, model_server
from component.agent.specs import assistant, model_client, spec

from prewarm_agent.startup.warmup import CONNECT_PATIENCE_SECONDS


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def error_of(agent: AgentProcess) -> dict[str, Any]:
    """What /warmupz says once it has something to complain about."""
    async with asyncio.timeout(30):
        while (report := (await agent.probe("/warmupz")).json())["error"] is None:
            await asyncio.sleep(0.05)
    return report


async def test_a_required_model_api_that_is_down_holds_readiness_back_until_it_is_there() -> None:
    port = free_port()
    warmup = {"mode": "connect", "required": True}
    async with running(spec(assistant(f"http://127.0.0.1:{port}/v1"), warmup=warmup)) as agent:
        report = await error_of(agent)
        assert (report["state"], report["phase"]) == ("starting", "warm-up")
        assert "gpt-4o-mini does not answer" in report["error"]
        await asyncio.sleep(CONNECT_PATIENCE_SECONDS + 1)
        assert (await agent.probe("/readyz")).status_code == 503
        assert (await agent.probe("/livez")).status_code == 200
        async with model_server(port):
            await agent.warm()
            assert (await agent.probe("/warmupz")).json()["error"] is None
            assert await agent.ask("hello") == "heard 2: hello"


async def test_a_live_warm_up_asks_the_model_once(model: ModelServer) -> None:
    async with running(spec(assistant(model.url), warmup={"mode": "live", "required": True})) as agent:
        await agent.warm()
        assert [conversation[-1]["content"] for conversation in model.conversations] == ["Hello"]
        assert (await agent.probe("/warmupz")).json()["error"] is None


async def test_a_live_warm_up_that_fails_is_shown_and_holds_nothing_back_unless_required(model: ModelServer) -> None:
    wrong_path = assistant(f"{model.url}/nowhere")  # a server, which is all that `connect` can tell
    async with running(spec(wrong_path, warmup={"mode": "live", "timeoutSeconds": 10})) as agent:
        await agent.warm()
        report = (await agent.probe("/warmupz")).json()
        assert report["state"] == "warm"
        assert report["error"].startswith("The live run failed. The model's API")


FACTORY = """
from pathlib import Path
from autogen_agentchat.agents import AssistantAgent

class Store:
    async def ping(self):
        calls = Path(__file__).with_name("calls")
        done = int(calls.read_text()) if calls.exists() else 0
        calls.write_text(str(done + 1))
        if done < 2:
            raise ConnectionError("the store is down")

async def agent(resources):
    await resources.once("store", Store, warmup=Store.ping)
    return AssistantAgent("support", resources.model_client(resources.config))
"""


async def test_an_authors_warm_up_is_retried_before_the_pod_is_ready(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text(FACTORY)
    document = spec(entrypoint="support:agent", warmup={"mode": "connect", "required": True})
    document["agent"]["config"] = model_client(model.url)
    async with running(document, PYTHONPATH=str(tmp_path)) as agent:
        report = await error_of(agent)
        assert report["error"] == "The warm-up of store raised ConnectionError: the store is down."
        assert report["state"] == "starting"
        await agent.warm()
        assert (tmp_path / "calls").read_text() == "3"


async def test_offline_calls_nothing_that_others_serve(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text(FACTORY)
    document = spec(entrypoint="support:agent")
    document["agent"]["config"] = model_client(model.url)
    async with running(document, PYTHONPATH=str(tmp_path)) as agent:
        await agent.warm()
        assert not (tmp_path / "calls").exists()
        assert model.lists == 0
