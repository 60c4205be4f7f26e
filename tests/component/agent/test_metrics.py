"""What a warm agent tells of itself, and what it never tells."""

import asyncio
import json

import httpx
import openai
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec


async def test_model_calls_are_counted_by_how_they_ended(agent: AgentProcess) -> None:
    calls = await agent.metric("prewarm_agent_model_calls_total")
    await agent.ask("hello")
    with pytest.raises(openai.APIStatusError):
        await agent.ask("hello STATUS=429")
    after = await agent.metric("prewarm_agent_model_calls_total")
    assert after['{outcome="ok"}'] - calls.get('{outcome="ok"}', 0) == 1
    assert after['{outcome="rate_limited"}'] - calls.get('{outcome="rate_limited"}', 0) == 1


async def test_state_versions_and_the_lag_of_the_loop_are_told(agent: AgentProcess) -> None:
    assert await agent.metric("prewarm_agent_ready") == {"": 1}
    assert await agent.metric("prewarm_agent_draining") == {"": 0}
    (labels,) = await agent.metric("prewarm_agent_build_info")
    assert 'openai="3.57.0"' in labels
    assert "prewarm_agent_event_loop_lag_seconds_count" in (await agent.probe("/metrics")).text


async def test_the_log_names_the_request_and_holds_neither_texts_nor_keys(model: ModelServer) -> None:
    component = assistant(model.url, model_client=model_client(model.url, api_key="sk-secret-key-17"))
    async with running(spec(component)) as process:
        await process.warm()
        body = {"model": "support", "messages": [{"role": "user", "content": "my-secret-text STATUS=500"}]}
        async with httpx.AsyncClient() as client:
            url, headers = f"{process.url}/v1/chat/completions", {"x-request-id": "request-42"}
            answer = await client.post(url, json=body, headers=headers)
        assert answer.status_code == 502
        async with asyncio.timeout(10):
            while not any(entry["message"] == "request failed" for entry in process.log):
                await asyncio.sleep(0.02)  # the line follows the answer
        log = process.log
        everything = json.dumps(log) + (await process.probe("/metrics")).text
    assert [entry["request_id"] for entry in log if entry["message"] == "request failed"] == ["request-42"]
    assert "my-secret-text" not in everything
    assert "sk-secret-key-17" not in everything
