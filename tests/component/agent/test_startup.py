"""From the first moment to warm."""

import asyncio
import socket

import httpx
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer, model_server
from component.agent.specs import assistant, spec

PHASES = ["bind", "import", "config", "clients", "tools", "agents", "warm-up", "freeze"]


async def test_the_process_is_live_before_it_is_warm(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent:
        assert (await agent.probe("/livez")).status_code == 200
        warmup = await agent.probe("/warmupz")
        assert warmup.status_code == 503
        assert warmup.json()["state"] == "starting"
        assert (await agent.probe("/readyz")).status_code == 503
        await agent.warm()
        assert (await agent.probe("/readyz")).status_code == 200


async def test_a_request_before_warm_is_told_to_come_back(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent, httpx.AsyncClient() as client:
        answer = await client.post(f"{agent.url}/v1/chat/completions", json={})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "starting"


async def test_both_address_families_are_served(agent: AgentProcess) -> None:
    for host in ("127.0.0.1", "[::1]") if socket.has_dualstack_ipv6() else ("127.0.0.1",):
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://{host}:{agent.port}/v1/models")).status_code == 200


async def test_the_phases_are_reported_in_the_order_they_ran(agent: AgentProcess) -> None:
    report = (await agent.probe("/warmupz")).json()
    assert report["state"] == "warm"
    assert list(report["phases"]) == PHASES
    assert report["error"] is None
    seconds = await agent.metric("prewarm_agent_startup_phase_seconds")
    assert list(seconds) == [f'{{phase="{name}"}}' for name in PHASES]
    assert sum(seconds.values()) <= (await agent.metric("prewarm_agent_time_to_warm_seconds"))[""]
    assert await agent.metric("prewarm_agent_warm") == {"": 1}
    assert [entry["phase"] for entry in agent.log if entry["message"] == "phase finished"] == PHASES[1:]


async def test_offline_warm_up_sends_nothing(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent:
        await agent.warm()
        assert model.conversations == []
        assert model.lists == 0
        assert (await agent.metric("prewarm_agent_first_request_seconds")) == {"": 0}
        await agent.ask("hello")
        assert (await agent.metric("prewarm_agent_first_request_seconds"))[""] > 0


async def test_connect_warm_up_opens_the_connection_that_the_first_request_uses(model: ModelServer) -> None:
    async with running(spec(assistant(model.url), warmup={"mode": "connect"})) as agent:
        await agent.warm()
        assert model.lists == 1
        assert model.conversations == []
        assert await agent.metric("prewarm_agent_model_connected") == {'{model="gpt-4o-mini"}': 1}
        await agent.ask("hello")
        assert len(model.connections) == 1


async def test_a_model_api_that_is_down_does_not_hold_readiness_back_and_is_reached_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    warmup = {"mode": "connect", "timeoutSeconds": 60}
    async with running(spec(assistant(f"http://127.0.0.1:{port}/v1"), warmup=warmup)) as agent:
        await agent.warm()
        report = (await agent.probe("/warmupz")).json()
        assert report["state"] == "warm"
        assert "gpt-4o-mini does not answer" in report["error"]
        assert await agent.metric("prewarm_agent_model_connected") == {'{model="gpt-4o-mini"}': 0}
        async with model_server(port):
            async with asyncio.timeout(20):
                while (await agent.probe("/warmupz")).json()["error"] is not None:
                    await asyncio.sleep(0.1)
            assert await agent.metric("prewarm_agent_model_connected") == {'{model="gpt-4o-mini"}': 1}
            assert await agent.ask("hello") == "heard 2: hello"
