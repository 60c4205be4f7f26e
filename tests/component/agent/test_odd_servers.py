"""Servers with OpenAI's API that are none of OpenAI's, and what they leave out, refuse or do to a connection."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec
from component.agent.test_clients import KEYS, client
from component.agent.test_warmup import error_of


def document(url: str, *, warmup: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    component = assistant(url, model_client=model_client(url, **config))
    return spec(component, **({"warmup": warmup} if warmup else {}))


async def streamed(agent: AgentProcess, text: str) -> tuple[str, list[Any]]:
    """The text of a streamed answer, and its chunks with usage asked for."""
    async with agent.openai() as sdk:
        stream = await sdk.chat.completions.create(
            model="support",
            messages=[{"role": "user", "content": text}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), chunks


async def test_a_server_that_refuses_names_is_served_with_the_option_for_it(model: ModelServer) -> None:
    model.refuses = "name"
    async with running(document(model.url, include_name_in_message=False)) as agent:
        await agent.warm()
        assert await agent.ask("hello") == "heard 2: hello"
    async with running(document(model.url)) as agent:
        await agent.warm()
        answer = await agent.post("hello")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "upstream_bad_request")
    assert "name is not permitted" in answer.json()["error"]["message"]


@pytest.mark.parametrize("required", [True, False])
async def test_a_model_without_system_messages_is_found_out_by_a_live_warm_up(
    model: ModelServer, *, required: bool
) -> None:
    model.refuses = "system"
    warmup = {"mode": "live", "required": required, "timeoutSeconds": 30}
    async with running(document(model.url, warmup=warmup)) as agent:
        report = await error_of(agent)
        assert "'system' is not supported with this model" in report["error"]
        if required:
            assert report["state"] == "starting"
            return
        await agent.warm()
        answer = await agent.post("hello")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "upstream_bad_request")
    assert "'system' is not supported with this model" in answer.json()["error"]["message"]


async def test_retries_of_a_call_that_hangs_end_with_the_request(model: ModelServer) -> None:
    async with running(document(model.url, timeout=1, max_retries=5), PREWARM_REQUEST_TIMEOUT_SECONDS="3") as agent:
        await agent.warm()
        started = time.monotonic()
        answer = await agent.post("SLEEP=60")
        assert 3 <= time.monotonic() - started < 6
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
        calls = len(model.conversations)
        assert calls > 1  # it was tried again
        await asyncio.sleep(2)
        assert (len(model.conversations), model.aborted) == (calls, calls)


async def test_a_stream_that_breaks_off_is_not_begun_anew(model: ModelServer) -> None:
    async with running(document(model.url, max_retries=3)) as agent:
        await agent.warm()
        answer = await agent.post("CUT after two words", stream=True)
        assert "[DONE]" not in answer.text
        assert '"error":{' in answer.text.strip().split("\n\n")[-1]
        assert answer.text.count("heard") == len(model.conversations) == 1
        async with asyncio.timeout(5):
            while await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
                await asyncio.sleep(0.02)


async def test_chunks_without_choices_are_no_end_and_no_error(model: ModelServer) -> None:
    async with running(document(model.url, stream_options={"include_usage": True})) as agent:
        await agent.warm()
        text, chunks = await streamed(agent, "FILTERED hello")
        assert text == "heard 2: FILTERED hello"
        assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [7]
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


async def test_usage_that_is_null_is_absent_and_not_zero(model: ModelServer) -> None:
    async with running(document(model.url, stream_options={"include_usage": True})) as agent:
        await agent.warm()
        text, chunks = await streamed(agent, "NULL hello")
        assert text == "heard 2: NULL hello"
        assert not [chunk for chunk in chunks if chunk.usage]
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, None),
        (404, None),
        (405, None),
        (429, None),
        (401, "refuses the key: HTTP 401"),
        (403, "refuses the key: HTTP 403"),
        (500, "does not answer: HTTP 500"),
        (301, "answers with a web page; check its URL"),
    ],
)
async def test_a_list_of_models_proves_as_much_as_it_can(model: ModelServer, status: int, error: str | None) -> None:
    model.list_status = status
    warmup = {"mode": "connect", "required": False, "timeoutSeconds": 10}
    async with running(document(model.url, warmup=warmup)) as agent:
        await agent.warm()
        told = (await agent.probe("/warmupz")).json()["error"]
        connected = await agent.metric("prewarm_agent_model_connected")
    assert told == (error and f"The API of model gpt-4o-mini {error}.")
    assert connected == {'{model="gpt-4o-mini"}': status not in (500, 301)}


async def test_azure_which_lists_no_models_there_is_connected_without_a_warning(model: ModelServer) -> None:
    component = assistant(model.url, model_client=client("azure", model.url))
    async with running(spec(component, warmup={"mode": "connect", "required": True}), **KEYS) as agent:
        await agent.warm()
        assert (await agent.probe("/warmupz")).json()["error"] is None
        # The other warning is about the address, which is the test's own machine.
        assert {entry["message"] for entry in agent.log if entry["level"] == "warning"} == {"spec warning"}
        assert list((await agent.metric("prewarm_agent_model_connected")).values()) == [1]


async def test_a_server_that_works_on_for_a_client_that_left_holds_no_place(model: ModelServer) -> None:
    async with running(document(model.url)) as agent:
        await agent.warm()
        body = {"model": "support", "messages": [{"role": "user", "content": "DEAF=6"}]}
        async with httpx.AsyncClient(timeout=1) as impatient:
            with pytest.raises(httpx.ReadTimeout):
                await impatient.post(f"{agent.url}/v1/chat/completions", json=body)
        async with asyncio.timeout(3):
            while json.loads((await agent.probe("/load")).text)["in_flight"]:
                await asyncio.sleep(0.02)
        assert model.working == 1
