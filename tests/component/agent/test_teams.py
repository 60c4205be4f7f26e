"""Teams: several model calls for a request, one answer."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
import pytest_asyncio
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import spec, team


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team_agent(model_api: ModelServer) -> AsyncIterator[AgentProcess]:
    async with running(spec(team(model_api.url))) as process:
        await process.warm()
        yield process


async def test_a_team_answers_with_its_last_message_and_the_usage_of_all_its_calls(team_agent: AgentProcess) -> None:
    async with team_agent.openai() as client:
        messages = [{"role": "user", "content": "hello"}]
        plain = await client.chat.completions.create(model="support", messages=messages)
        stream = await client.chat.completions.create(model="support", messages=messages, stream=True)
        chunks = [chunk async for chunk in stream]
    assert plain.choices[0].message.content == "heard 3: heard 2: hello"
    assert plain.usage is not None
    assert plain.usage.total_tokens == 14
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == plain.choices[0].message.content


async def test_a_team_answers_requests_of_one_session_at_the_same_time(team_agent: AgentProcess) -> None:
    session = {"session_id": "1", "conversation_id": "1"}
    asked = [f"question {number}" for number in range(10)]
    answers = await asyncio.gather(*(team_agent.ask(text, user="ada", extra_body=session) for text in asked))
    assert answers == [f"heard 3: heard 2: {text}" for text in asked]


async def test_the_word_that_ends_a_team_does_not_end_it_when_it_is_in_the_history(
    team_agent: AgentProcess, model: ModelServer
) -> None:
    messages = [
        {"role": "user", "content": "First question."},
        {"role": "assistant", "content": "First answer. TERMINATE"},
        {"role": "user", "content": "Second question."},
    ]
    async with team_agent.openai() as client:
        await client.chat.completions.create(model="support", messages=messages)
    assert len(model.conversations) == 2
    for conversation in model.conversations:
        assert [message["role"] for message in conversation[1:4]] == ["user", "assistant", "user"]
        assert "First answer. TERMINATE" in json.dumps(conversation)


async def test_the_word_that_ends_a_team_does_not_end_it_in_the_mouth_of_a_user(team_agent: AgentProcess) -> None:
    assert await team_agent.ask("TERMINATE") == "heard 2: TERMINATE"


async def test_a_team_that_ends_without_a_word_is_an_error_that_says_why(model: ModelServer) -> None:
    component = team(model.url)
    component["config"]["termination_condition"] = {
        "provider": "autogen_agentchat.conditions.MaxMessageTermination",
        "component_type": "termination",
        "config": {"max_messages": 1},
    }
    async with running(spec(component)) as agent:
        await agent.warm()
        with pytest.raises(openai.InternalServerError, match="Maximum number of messages 1 reached") as raised:
            await agent.ask("hello")
        assert raised.value.code == "no_answer"


async def test_an_error_of_the_model_in_a_team_has_the_status_it_has_without_a_team(team_agent: AgentProcess) -> None:
    with pytest.raises(openai.RateLimitError, match="told to refuse"):
        await team_agent.ask("STATUS=429")


@pytest.mark.parametrize("ended_by", ["client", "deadline"])
async def test_a_team_that_is_stopped_makes_no_more_model_calls(model: ModelServer, ended_by: str) -> None:
    timeout = {"PREWARM_REQUEST_TIMEOUT_SECONDS": "0.5"} if ended_by == "deadline" else {}
    body = {"model": "support", "messages": [{"role": "user", "content": "SLEEP=0.3"}]}
    async with running(spec(team(model.url, max_turns=20)), **timeout) as agent:
        await agent.warm()
        async with httpx.AsyncClient(timeout=0.5 if ended_by == "client" else 5) as client:
            try:
                answer = await client.post(f"{agent.url}/v1/chat/completions", json=body)
            except httpx.ReadTimeout:
                assert ended_by == "client"
            else:
                assert answer.status_code == 504
        async with asyncio.timeout(5):
            while await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
                await asyncio.sleep(0.02)
        calls = len(model.conversations)
        await asyncio.sleep(1)
        assert len(model.conversations) == calls < 20
