"""What the model's API does to a run: errors inside teams, a share for the load, calls that are no longer wanted."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec, team
from component.agent.test_clients import KEYS, client


async def share(agent: AgentProcess) -> float:
    return float((await agent.probe("/load")).json()["upstream_error_share"])


@pytest.mark.parametrize(
    ("text", "status", "code", "retry_after"),
    [
        ("STATUS=400", 400, "upstream_bad_request", None),
        ("STATUS=401", 502, "upstream_refused_key", None),
        ("STATUS=418", 502, "upstream_error", None),
        ("STATUS=429 RETRY_AFTER=7", 429, "upstream_rate_limit", "7"),
        ("HTML", 502, "upstream_error", None),
    ],
)
async def test_an_error_inside_a_team_is_what_it_is_without_one(
    model: ModelServer, text: str, status: int, code: str, retry_after: str | None
) -> None:
    async with running(spec(team(model.url))) as agent:
        await agent.warm()
        answer = await agent.post(text)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after


async def test_a_team_whose_model_cannot_be_reached_is_told_from_one_that_is_slow(model: ModelServer) -> None:
    component = team("http://127.0.0.1:9/v1")
    async with running(spec(component)) as agent:
        await agent.warm()
        answer = await agent.post("hello")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")
    slow = team(model.url)
    for member in slow["config"]["participants"]:
        member["config"]["model_client"]["config"]["timeout"] = 0.3
    async with running(spec(slow)) as agent:
        await agent.warm()
        answer = await agent.post("SLEEP=5")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")


async def test_the_load_tells_the_share_of_calls_that_the_api_failed_but_not_those_it_refused_rightly(
    model: ModelServer,
) -> None:
    async with running(spec(assistant(model.url))) as agent:
        await agent.warm()
        assert await share(agent) == 0
        for text in ("hello", "STATUS=400", "STATUS=429", "STATUS=500"):
            await agent.post(text)
        assert await share(agent) == 0.5
        await agent.post("CUT one two three", stream=True)
        assert await share(agent) == 0.6
        assert (await agent.probe("/load")).json()["refused"] == 0


SLOW = """
import asyncio
from autogen_agentchat.agents import AssistantAgent

async def wait() -> str:
    "Waits."
    await asyncio.sleep(30)
    return "waited"

def agent(resources):
    return AssistantAgent("support", resources.model_client(resources.config["model"]), tools=[wait])
"""


@pytest.mark.parametrize("vendor", ["openai", "anthropic", "ollama"])
@pytest.mark.parametrize(("text", "stream"), [("SLEEP=30", False), ("SLEEP=30", True), ("PACE=30 one two", True)])
async def test_an_api_that_hangs_until_the_deadline_counts_as_an_error(
    model: ModelServer, vendor: str, text: str, *, stream: bool
) -> None:
    component = assistant(model.url)
    if vendor != "openai":
        component["config"]["model_client"] = client(vendor, model.url)
    component["config"]["model_client_stream"] = stream
    environment = {**KEYS, "OPENAI_API_KEY": "unused", "PREWARM_REQUEST_TIMEOUT_SECONDS": "1"}
    async with running(spec(component), **environment) as agent:
        await agent.warm()
        await agent.post(text, stream=stream)
        async with asyncio.timeout(10):
            while await share(agent) != 1:
                await asyncio.sleep(0.02)
        assert await agent.metric("prewarm_agent_model_calls_total") == {'{outcome="error"}': 1}


async def test_a_tool_that_uses_up_the_time_is_not_the_apis_fault(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    body = spec(entrypoint="slow:agent")
    body["agent"]["config"] = {"model": model_client(model.url)}
    async with running(body, PYTHONPATH=str(tmp_path), PREWARM_REQUEST_TIMEOUT_SECONDS="1") as agent:
        await agent.warm()
        answer = await agent.post("CALL=wait {}")
        assert answer.json()["error"]["code"] == "deadline_exceeded"
        async with asyncio.timeout(10):
            while await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
                await asyncio.sleep(0.02)
        assert await agent.metric("prewarm_agent_model_calls_total") == {'{outcome="ok"}': 1}
        assert await share(agent) == 0


@pytest.mark.parametrize("in_team", [False, True])
@pytest.mark.parametrize(
    ("vendor", "text", "code"),
    [
        ("openai", "LIE", "upstream_rate_limit"),
        ("openai", "SPOIL one two three", "upstream_rate_limit"),
        ("anthropic", "LIE", "upstream_rate_limit"),
        ("anthropic", "SPOIL one two three", "upstream_rate_limit"),
        ("ollama", "LIE", "upstream_rate_limit"),
        ("ollama", "SPOIL one two three", "upstream_error"),
    ],
)
async def test_an_error_sent_as_200_to_a_streamed_call_is_an_error(
    model: ModelServer, vendor: str, text: str, code: str, *, in_team: bool
) -> None:
    component = streaming_team(vendor, model.url)
    if not in_team:
        component = component["config"]["participants"][0]
    async with running(spec(component), **{**KEYS, "OPENAI_API_KEY": "unused"}) as agent:
        await agent.warm()
        plain = await agent.post(text)
        assert (plain.status_code, plain.json()["error"]["code"]) == (429 if "rate" in code else 502, code), plain.text
        assert "told to" in plain.json()["error"]["message"]
        streamed = await agent.post(text, stream=True)
        assert code in streamed.text.splitlines()[-2 if streamed.status_code == 200 else -1]
        assert await share(agent) == 1


async def test_a_refused_request_is_tried_again_as_often_as_the_spec_says(model: ModelServer) -> None:
    component = assistant(model.url)
    component["config"]["model_client"]["config"]["max_retries"] = 1
    async with running(spec(component)) as agent:
        await agent.warm()
        await agent.post("STATUS=500")
    assert len(model.conversations) == 2


def streaming_team(vendor: str, url: str) -> dict[str, Any]:
    component = team(url, max_turns=20)
    for member in component["config"]["participants"]:
        member["config"]["model_client_stream"] = True
        if vendor != "openai":
            member["config"]["model_client"] = client(vendor, url)
    return component


@pytest.mark.parametrize("vendor", ["openai", "anthropic", "ollama"])
async def test_a_cancelled_team_stops_its_model_calls_within_a_second_even_in_the_middle_of_a_stream(
    model: ModelServer, vendor: str
) -> None:
    words = " ".join(["word"] * 100)
    async with running(spec(streaming_team(vendor, model.url)), **{**KEYS, "OPENAI_API_KEY": "unused"}) as agent:
        await agent.warm()
        body = {"model": "support", "messages": [{"role": "user", "content": f"PACE=0.2 {words}"}]}
        async with httpx.AsyncClient(timeout=1) as impatient:
            with pytest.raises(httpx.ReadTimeout):
                await impatient.post(f"{agent.url}/v1/chat/completions", json=body)
        left = time.monotonic()
        async with asyncio.timeout(10):
            while model.streaming or await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
                await asyncio.sleep(0.02)
        assert time.monotonic() - left < 5  # a second, on a machine that is not busy
        calls = len(model.conversations)
        await asyncio.sleep(1)
        assert len(model.conversations) == calls == 1
