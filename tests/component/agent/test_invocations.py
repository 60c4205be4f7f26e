"""`POST /invocations`: one turn with its steps, and a state with which any replica goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec, team

TOOLS = """
from autogen_agentchat.agents import AssistantAgent
from autogen_core.tools import FunctionTool


def add(a: int, b: int) -> str:
    "Adds two numbers."
    return str(a + b)


def support(resources):
    client = resources.model_client(
        {"provider": "OpenAIChatCompletionClient", "config": {"model": "gpt-4o-mini", "base_url": "URL"}}
    )
    return AssistantAgent("support", client, tools=[FunctionTool(add, description="Adds.")], reflect_on_tool_use=True)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tool_agent(model_api: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AgentProcess]:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "my_tools.py").write_text(TOOLS.replace("URL", model_api.url))
    async with running(spec(entrypoint="my_tools:support"), PYTHONPATH=str(folder)) as process:
        await process.warm()
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replica(model_api: ModelServer) -> AsyncIterator[AgentProcess]:
    """A second process of the very agent that the fixture `agent` is."""
    async with running(spec(assistant(model_api.url))) as process:
        await process.warm()
        yield process


async def invoke(agent: AgentProcess, message: object, **fields: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.post(f"{agent.url}/invocations", json={"input": message, **fields})


def events(answer: httpx.Response) -> list[tuple[str, Any]]:
    """The typed events of a stream, which must be well formed."""
    assert answer.headers["content-type"] == "text/event-stream"
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        kind, data = block.split("\n")
        found.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def test_a_text_is_answered_with_the_messages_and_the_usage_of_the_turn(agent: AgentProcess) -> None:
    answer = (await invoke(agent, "hello")).json()
    assert answer == {
        "output": "heard 2: hello",
        "messages": [{"source": "support", "text": "heard 2: hello"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        "stop_reason": None,
        "state": None,
    }


async def test_messages_are_the_conversation_so_far(agent: AgentProcess, model: ModelServer) -> None:
    said = [("user", "one"), ("assistant", "two"), ("user", "three")]
    answer = await invoke(agent, [{"role": role, "content": text} for role, text in said])
    assert answer.json()["output"] == "heard 4: three"
    assert [(m["role"], m["content"]) for m in model.conversations[0][1:]] == said


async def test_a_stream_tells_of_every_step_by_its_type(tool_agent: AgentProcess) -> None:
    answer = await invoke(tool_agent, 'CALL=add {"a": 1, "b": 2}', stream=True, return_state=True)
    found = events(answer)
    assert [kind for kind, _ in found] == ["tool_call", "tool_result", "message", "usage", "state", "done"]
    steps = dict(found)
    assert (steps["tool_call"]["name"], json.loads(steps["tool_call"]["arguments"])) == ("add", {"a": 1, "b": 2})
    assert (steps["tool_result"]["content"], steps["tool_result"]["is_error"]) == ("3", False)
    assert steps["tool_result"]["id"] == steps["tool_call"]["id"]
    assert steps["message"]["text"] == steps["done"]["output"] == "heard 4: 3"
    assert steps["usage"]["total_tokens"] == 14
    assert steps["state"]["agent"] == "support"


async def test_a_client_that_accepts_events_gets_deltas(agent: AgentProcess) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{agent.url}/invocations", json={"input": "hello"}, headers={"accept": "text/event-stream"}
        )
    found = events(answer)
    deltas = [data["text"] for kind, data in found if kind == "delta"]
    assert deltas == ["heard ", "2: ", "hello"]
    assert found[-1] == ("done", {"output": "heard 2: hello", "stop_reason": None})


async def test_a_team_tells_who_speaks(model: ModelServer) -> None:
    async with running(spec(team(model.url))) as agent:
        await agent.warm()
        answer = (await invoke(agent, "hello", return_state=True)).json()
        assert [message["source"] for message in answer["messages"]] == ["writer", "critic"]
        assert answer["stop_reason"] == "Maximum number of turns 2 reached."
        again = (await invoke(agent, "and now?", state=answer["state"])).json()
        assert len(again["messages"]) == 2
    assert "hello" in json.dumps(model.conversations[-1])
    assert "and now?" in json.dumps(model.conversations[-1])


async def test_a_conversation_goes_on_at_another_replica(
    agent: AgentProcess, replica: AgentProcess, model: ModelServer
) -> None:
    first = (await invoke(agent, "My name is Ada.", return_state=True)).json()
    second = (await invoke(replica, "Who am I?", state=first["state"])).json()
    third = (await invoke(agent, "Thank you.", state=second["state"])).json()
    assert [message["content"] for message in model.conversations[-1][1:]] == [
        "My name is Ada.",
        "heard 2: My name is Ada.",
        "Who am I?",
        "heard 4: Who am I?",
        "Thank you.",
    ]
    assert third["output"] == "heard 6: Thank you."
    assert (await invoke(replica, "hello")).json()["output"] == "heard 2: hello"


async def test_a_state_comes_back_unless_it_is_not_wanted(agent: AgentProcess) -> None:
    state = (await invoke(agent, "hello", return_state=True)).json()["state"]
    assert (await invoke(agent, "again", state=state)).json()["state"]["prewarm"] == 1
    assert (await invoke(agent, "again", state=state, return_state=False)).json()["state"] is None


BROKEN = {"llm_context": {"messages": [{"type": "NoSuchMessage"}]}}


@pytest.mark.parametrize(
    ("state", "param"),
    [
        ({"prewarm": 1, "agent": "other", "state": {}}, "state.agent"),
        ({"prewarm": 2, "agent": "support", "state": {}}, "state.prewarm"),
        ({"prewarm": 1, "agent": "support", "state": BROKEN}, "state"),
        ({"prewarm": 1, "agent": "support", "state": {"agent_states": {}, "type": "TeamState"}}, "state"),
        ({"prewarm": 1, "agent": "support", "state": "text"}, "state.state"),
        ({"agent": "support", "state": {}}, "state.prewarm"),
        ("text", "state"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_state_that_is_not_this_agents_is_refused_in_a_sentence(
    agent: AgentProcess, model: ModelServer, state: object, param: str, *, stream: bool
) -> None:
    answer = await invoke(agent, "hello", state=state, stream=stream)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert error["message"].startswith(f"{param}: ")
    assert error["message"].endswith(".")
    assert "\n" not in error["message"]
    assert model.conversations == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"{}", "input"),
        (b'{"input": ""}', "input"),
        (b'{"input": "\\ud83d"}', "input"),
        (b'{"input": [{"role": "user", "content": "\\ud83d"}]}', "input[0].content"),
        (b'{"input": []}', "input"),
        (b'{"input": [{"role": "assistant", "content": "x"}]}', "input[0].role"),
        (b'{"input": [{"role": "user", "content": 1}]}', "input[0].content"),
    ],
)
async def test_a_bad_request_is_refused_with_the_name_of_the_field(
    agent: AgentProcess, body: bytes, param: str | None
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{agent.url}/invocations", content=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_an_error_before_the_first_event_has_a_status_and_one_after_it_is_an_event(agent: AgentProcess) -> None:
    for stream in (False, True):
        answer = await invoke(agent, "STATUS=429", stream=stream)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "upstream_rate_limit")
    found = events(await invoke(agent, "CUT after two words", stream=True))
    assert [kind for kind, _ in found] == ["delta", "delta", "error"]
    assert found[-1][1]["error"]["type"] == "server_error"


async def test_a_client_that_goes_away_stops_the_model_call(agent: AgentProcess, model: ModelServer) -> None:
    async with httpx.AsyncClient(timeout=0.5) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(f"{agent.url}/invocations", json={"input": "SLEEP=20"})
    async with asyncio.timeout(10):
        while not model.aborted or await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
            await asyncio.sleep(0.02)


async def test_a_turn_that_takes_too_long_ends_at_the_deadline(model: ModelServer) -> None:
    async with running(spec(assistant(model.url)), PREWARM_REQUEST_TIMEOUT_SECONDS="0.5") as agent:
        await agent.warm()
        answer = await invoke(agent, "SLEEP=20")
        async with asyncio.timeout(10):
            while await agent.metric("prewarm_agent_model_calls_total") != {'{outcome="error"}': 1}:
                await asyncio.sleep(0.02)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
