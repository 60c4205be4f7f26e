"""Real clients: the OpenAI SDK, AutoGen's own client, curl."""

import asyncio
import json
import re
from asyncio.subprocess import PIPE
from typing import Any

import openai
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import CreateResult, UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from component.agent.agent_process import AgentProcess
from component.agent.model_server import ModelServer

HELLO: list[Any] = [{"role": "user", "content": "hello"}]


async def test_the_synchronous_sdk_gets_answers_streams_and_errors(agent: AgentProcess) -> None:
    def ask() -> tuple[str | None, str, list[str], str | None]:
        with openai.OpenAI(base_url=f"{agent.url}/v1", api_key="unused", max_retries=0) as client:
            plain = client.chat.completions.create(model="support", messages=HELLO)
            with client.chat.completions.create(model="support", messages=HELLO, stream=True) as stream:
                streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            try:
                client.chat.completions.create(model="other", messages=HELLO)
            except openai.NotFoundError as error:
                return plain.choices[0].message.content, streamed, [m.id for m in client.models.list()], error.code
        raise AssertionError("a model that is not served was answered")

    assert await asyncio.to_thread(ask) == ("heard 2: hello", "heard 2: hello", ["support"], "model_not_found")


async def test_the_sdks_own_accumulation_of_a_stream_works(agent: AgentProcess) -> None:
    async with agent.openai() as client, client.chat.completions.stream(model="support", messages=HELLO) as stream:
        completion = await stream.get_final_completion()
    assert completion.choices[0].message.content == "heard 2: hello"
    assert completion.choices[0].finish_reason == "stop"


async def test_an_agent_of_autogen_uses_this_one_as_its_model(agent: AgentProcess, model: ModelServer) -> None:
    client = OpenAIChatCompletionClient(
        model="support",
        base_url=f"{agent.url}/v1",
        api_key="unused",
        model_info={
            "vision": False,
            "function_calling": False,
            "json_output": False,
            "structured_output": False,
            "family": "unknown",
        },
    )
    caller = AssistantAgent("caller", client, system_message="Be brief.")
    assert (await caller.run(task="hello")).messages[-1].to_text() == "heard 3: hello"
    assert (await caller.run(task="again")).messages[-1].to_text() == "heard 5: again"
    assert [message["role"] for message in model.conversations[-1]] == [
        *("system", "system", "user", "assistant", "user")
    ]
    *pieces, last = [piece async for piece in client.create_stream([UserMessage(content="hello", source="user")])]
    assert isinstance(last, CreateResult)
    assert len(pieces) > 1
    assert "".join(map(str, pieces)) == last.content == "heard 2: hello"
    await client.close()


async def curl(*arguments: str) -> tuple[str, str]:
    """Head and body of an answer."""
    process = await asyncio.create_subprocess_exec("curl", "-isS", *arguments, stdout=PIPE)
    output, _ = await process.communicate()
    head, _, body = output.decode().partition("\r\n\r\n")
    return head, body


async def test_curl_gets_json_and_events(agent: AgentProcess) -> None:
    url = f"{agent.url}/v1/chat/completions"
    head, body = await curl(url, "--json", json.dumps({"model": "support", "messages": HELLO}))
    assert head.startswith("HTTP/1.1 200 OK")
    assert json.loads(body)["choices"][0]["message"]["content"] == "heard 2: hello"
    _, body = await curl("-N", url, "-d", json.dumps({"model": "support", "messages": HELLO, "stream": True}))
    assert body.endswith("data: [DONE]\n\n")


async def test_every_answer_names_its_request(agent: AgentProcess) -> None:
    async with agent.openai() as client:
        own = await client.models.with_raw_response.list()
        assert re.fullmatch(r"[0-9a-f]{32}", own.headers["x-request-id"])
        given = await client.models.with_raw_response.list(extra_headers={"x-request-id": "abc-1.2/3"})
        assert given.headers["x-request-id"] == "abc-1.2/3"
        for insane in ("a b", "x" * 129, ""):
            other = await client.models.with_raw_response.list(extra_headers={"x-request-id": insane})
            assert re.fullmatch(r"[0-9a-f]{32}", other.headers["x-request-id"])
        with pytest.raises(openai.NotFoundError) as raised:
            await client.chat.completions.create(model="other", messages=HELLO, extra_headers={"x-request-id": "mine"})
        assert raised.value.request_id == "mine"
