"""What a client of the OpenAI API gets."""

import asyncio
import json
from typing import Any

import httpx
import openai
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

HELLO = [{"role": "user", "content": "hello"}]


async def test_the_sdk_gets_an_answer_with_usage(agent: AgentProcess) -> None:
    async with agent.openai() as client:
        completion = await client.chat.completions.create(model="support", messages=HELLO)
    assert completion.choices[0].message.content == "heard 2: hello"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "support"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 7


async def test_the_sdk_gets_a_stream_of_deltas(agent: AgentProcess) -> None:
    async with agent.openai() as client:
        stream = await client.chat.completions.create(model="support", messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert deltas == ["heard ", "2: ", "hello"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_ends_with_usage_where_asked_and_known_and_with_done(model: ModelServer) -> None:
    client_with_usage = model_client(model.url, stream_options={"include_usage": True})
    body = {"model": "support", "messages": HELLO, "stream": True, "stream_options": {"include_usage": True}}
    async with running(spec(assistant(model.url, model_client=client_with_usage))) as agent:
        await agent.warm()
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{agent.url}/v1/chat/completions", json=body)
    assert answer.headers["content-type"] == "text/event-stream"
    *_, usage, done, rest = answer.text.split("\n\n")
    assert '"choices":[],"usage":{"prompt_tokens":3,' in usage
    assert (done, rest) == ("data: [DONE]", "")


async def test_the_agent_remembers_the_conversation_that_the_client_sends(
    agent: AgentProcess, model: ModelServer
) -> None:
    messages: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": [{"type": "text", "text": "Who "}, {"type": "text", "text": "am I?"}]},
    ]
    async with agent.openai() as client:
        await client.chat.completions.create(model="support", messages=messages)
    assert [(message["role"], message["content"]) for message in model.conversations[0]] == [
        ("system", "You answer questions."),
        ("system", "Be brief."),
        ("user", "My name is Ada."),
        ("assistant", "Hello Ada."),
        ("user", "Who am I?"),
    ]


async def test_the_agent_is_listed_as_a_model(agent: AgentProcess) -> None:
    async with agent.openai() as client:
        assert [model.id async for model in client.models.list()] == ["support"]


async def test_optional_fields_may_be_null_and_unknown_ones_are_ignored(agent: AgentProcess) -> None:
    optional = (CompletionCreateParamsStreaming.__annotations__.keys()) - {"model", "messages"}
    assert {"max_tokens", "tools", "stream", "stream_options", "response_format", "user"} <= optional
    message = {**HELLO[0], "name": None}
    body = {"model": "support", "messages": [message], "x": 1, **dict.fromkeys(optional)}
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"{agent.url}/v1/chat/completions", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        (b'{"messages": [{"role": "user", "content": "x"}]}', 400, "model"),
        (b'{"model": "support", "messages": []}', 400, "messages"),
        (json.dumps({"model": "support", "messages": HELLO * 2049}).encode(), 400, "messages"),
        (b'{"model": "support", "messages": [{"role": "user"}]}', 400, "messages[0].content"),
        (b'{"model": "support", "messages": [{"role": "robot", "content": "x"}]}', 400, "messages[0].role"),
        (b'{"model": "support", "messages": [{"role": "assistant", "content": "x"}]}', 400, "messages[0].role"),
        (
            b'{"model": "support", "messages": [{"role": "user", "content": "x", "name": "A B"}]}',
            400,
            "messages[0].name",
        ),
        (
            b'{"model": "support", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
            400,
            "messages[0].content[0].type",
        ),
        (b'{"model": "support", "messages": [{"role": "user", "content": "x"}], "tools": [{}]}', 400, "tools"),
        (b'{"model": "support", "messages": [{"role": "user", "content": "x"}], "functions": [{}]}', 400, "functions"),
        (b'{"model": "other", "messages": [{"role": "user", "content": "x"}]}', 404, "model"),
    ],
)
async def test_a_bad_request_is_refused_with_the_name_of_the_field(
    agent: AgentProcess, body: bytes, status: int, param: str | None
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{agent.url}/v1/chat/completions", content=body)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert error["param"] == param
    assert param is None or error["message"].startswith(param)


@pytest.mark.parametrize("content", ['"caf\u00e9 \\ud83d"', '[{"type": "text", "text": "\\ude00"}]'])
async def test_half_a_character_is_the_clients_mistake(agent: AgentProcess, model: ModelServer, content: str) -> None:
    body = f'{{"model": "support", "messages": [{{"role": "user", "content": {content}}}]}}'
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{agent.url}/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("messages[0].content")
    assert "holds half a character" in answer.json()["error"]["message"]
    assert model.conversations == []
    assert await agent.ask("whole \U0001f600") == "heard 2: whole \U0001f600"


async def test_an_image_is_refused_in_words(agent: AgentProcess) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content: Any = [{"type": "text", "text": "What is this?"}, image]
    async with agent.openai() as client:
        with pytest.raises(openai.BadRequestError, match="'image_url' is not served, the agent reads text") as raised:
            await client.chat.completions.create(model="support", messages=[{"role": "user", "content": content}])
    assert raised.value.param == "messages[0].content[1].type"


async def test_fields_that_promise_a_session_are_ignored(agent: AgentProcess) -> None:
    for text in ("My name is Ada.", "Who am I?"):
        session = {"session_id": "1", "conversation_id": "1", "metadata": {"session": "1"}}
        assert await agent.ask(text, user="ada", extra_body=session) == f"heard 2: {text}"


async def test_a_body_over_the_limit_is_refused(agent: AgentProcess) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{agent.url}/v1/chat/completions", content=b" " * (5 * 1024 * 1024))
    assert answer.status_code == 413


async def test_unknown_paths_and_methods_are_refused_in_the_apis_shape(agent: AgentProcess) -> None:
    async with httpx.AsyncClient() as client:
        unknown = await client.get(f"{agent.url}/v1/assistants")
        wrong = await client.get(f"{agent.url}/v1/chat/completions")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_url")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("upstream", "status", "code"),
    [
        (400, 400, "upstream_bad_request"),
        (401, 502, "upstream_refused_key"),
        (429, 429, "upstream_rate_limit"),
        (500, 502, "upstream_error"),
    ],
)
async def test_an_error_of_the_model_becomes_a_status_that_says_whose_it_is(
    agent: AgentProcess, upstream: int, status: int, code: str
) -> None:
    body = {"model": "support", "messages": [{"role": "user", "content": f"STATUS={upstream}"}]}
    async with httpx.AsyncClient() as client:
        plain = await client.post(f"{agent.url}/v1/chat/completions", json=body)
        streamed = await client.post(f"{agent.url}/v1/chat/completions", json={**body, "stream": True})
    for answer in (plain, streamed):
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        # What is said about a refused key quotes parts of it, and is not for users.
        assert ("told to refuse" in answer.json()["error"]["message"]) == (upstream != 401)


async def test_a_stream_that_breaks_in_its_middle_ends_with_an_error_and_without_done(
    agent: AgentProcess,
) -> None:
    body = {"model": "support", "messages": [{"role": "user", "content": "CUT after two words"}], "stream": True}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{agent.url}/v1/chat/completions", json=body)
    assert answer.text.count("data: ") >= 3
    assert '"error":{' in answer.text.strip().split("\n\n")[-1]
    assert "[DONE]" not in answer.text
    async with agent.openai() as sdk:
        stream = await sdk.chat.completions.create(
            model="support", messages=[{"role": "user", "content": "CUT after two words"}], stream=True
        )
        with pytest.raises(openai.APIError):
            [chunk async for chunk in stream]


async def test_a_request_that_takes_too_long_ends_at_the_deadline_and_stops_the_model_call(model: ModelServer) -> None:
    async with running(spec(assistant(model.url)), PREWARM_REQUEST_TIMEOUT_SECONDS="0.5") as agent:
        await agent.warm()
        with pytest.raises(openai.InternalServerError) as raised:
            await agent.ask("SLEEP=20")
        assert raised.value.status_code == 504
        assert raised.value.code == "deadline_exceeded"
        async with asyncio.timeout(10):
            while not model.aborted:
                await asyncio.sleep(0.02)


async def test_a_client_that_goes_away_frees_its_place_and_stops_the_model_call(
    agent: AgentProcess, model: ModelServer
) -> None:
    with pytest.raises(openai.APITimeoutError):
        await agent.ask("SLEEP=20", timeout=0.5)
    async with asyncio.timeout(10):
        while not model.aborted or await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
            await asyncio.sleep(0.02)
