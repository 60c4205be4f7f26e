"""An agent whose tools come from MCP servers, as a pod has it."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.mcp_servers import http_server, stdio, streamable_http, workbench
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec
from component.agent.test_mcp_workbench import free_port


def agent_spec(url: str, params: dict[str, Any], **fields: Any) -> dict[str, Any]:
    component = assistant(url, workbench=[workbench(params)], reflect_on_tool_use=True)
    return spec(component, security={"allowCode": True}, **fields)


async def tools_offered(agent: AgentProcess, model: ModelServer) -> set[str]:
    """The tools that the agent shows to its model now."""
    await agent.ask("which?")
    return {tool["function"]["name"] for tool in model.bodies[-1]["tools"]}


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_all_requests_share_one_server_that_was_started_before_the_pod_was_ready(
    model: ModelServer, transport: str
) -> None:
    port = free_port()
    async with http_server("tools", port):
        params = stdio("tools") if transport == "stdio" else streamable_http(port)
        async with running(agent_spec(model.url, params)) as agent:
            await agent.warm()
            built = await agent.metric("prewarm_agent_resources_built_total")
            assert built['{kind="workbench"}'] == 1
            answers = await asyncio.gather(*(agent.ask(f'CALL=add {{"a": {number}, "b": 1}}') for number in range(20)))
            assert [answer.rpartition(": ")[2] for answer in answers] == [str(number + 1) for number in range(20)]
            assert await agent.metric("prewarm_agent_resources_built_total") == built
            agent.terminate()
            assert await agent.exit_code() == 0


async def test_the_next_run_has_the_tools_that_a_server_has_now(model: ModelServer) -> None:
    async with running(agent_spec(model.url, stdio("tools"))) as agent:
        await agent.warm()
        built = await agent.metric("prewarm_agent_resources_built_total")
        assert "add" in await tools_offered(agent, model)
        await agent.ask("CALL=grow {}")
        async with asyncio.timeout(20):
            while "multiply" not in (offered := await tools_offered(agent, model)):
                await asyncio.sleep(0.1)
        assert "add" not in offered
        # A model that asks for what is gone gets an error to read, and the user an answer.
        assert "not found" in await agent.ask('CALL=add {"a": 1, "b": 1}')
        assert await agent.metric("prewarm_agent_resources_built_total") == built


async def test_a_pod_whose_tool_server_hangs_is_live_and_says_which_and_is_not_ready(model: ModelServer) -> None:
    async with running(agent_spec(model.url, stdio("hang"), warmup={"mode": "offline", "timeoutSeconds": 60})) as agent:
        async with asyncio.timeout(30):
            while "not available" not in str((report := (await agent.probe("/warmupz")).json())["error"]):
                await asyncio.sleep(0.1)
        assert (report["state"], report["phase"]) == ("starting", "tools")
        assert (await agent.probe("/livez")).status_code == 200
        assert (await agent.probe("/readyz")).status_code == 503
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"{agent.url}/v1/chat/completions", json={})).status_code == 503


@pytest.mark.parametrize("kind", ["hang", "broken"])
async def test_a_pod_is_never_ready_without_its_tools(model: ModelServer, kind: str) -> None:
    warmup = {"mode": "offline", "timeoutSeconds": 10, "required": False}  # two seconds for the servers
    async with running(agent_spec(model.url, stdio(kind), warmup=warmup)) as agent:
        async with asyncio.timeout(30):
            while not any(entry["message"] == "tool servers missing" for entry in agent.log):
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        report = await agent.probe("/warmupz")
        assert (report.status_code, report.json()["state"], report.json()["phase"]) == (503, "starting", "tools")
        error = report.json()["error"]
        assert f"The tool server {sys.executable} is not available: " in error
        assert ("Its last words: cannot read the settings file" in error) is (kind == "broken")
        assert (await agent.probe("/readyz")).status_code == 503


async def test_a_tool_server_that_comes_late_makes_the_pod_ready(model: ModelServer, tmp_path: Path) -> None:
    there = tmp_path / "there"
    params = stdio("tools")
    waiting = 'test -e "$0" && exec "$@"'
    late = {**params, "command": "sh", "args": ["-c", waiting, str(there), params["command"], *params["args"]]}
    warmup = {"mode": "offline", "timeoutSeconds": 60}
    async with running(agent_spec(model.url, late, warmup=warmup)) as agent:
        async with asyncio.timeout(30):
            while "not available" not in str((await agent.probe("/warmupz")).json()["error"]):
                await asyncio.sleep(0.1)
        there.touch()
        await agent.warm()
        assert (await agent.probe("/warmupz")).json()["error"] is None


async def test_a_server_that_greets_before_it_speaks_the_protocol_is_served(model: ModelServer) -> None:
    async with running(agent_spec(model.url, stdio("chatty"))) as agent:
        await agent.warm()
        assert (await agent.ask('CALL=add {"a": 1, "b": 1}')).endswith(": 2")


async def test_arguments_in_one_string_are_told_in_the_servers_own_words(model: ModelServer) -> None:
    params = stdio("tools")
    joined = {**params, "args": [" ".join(params["args"])]}
    async with running(agent_spec(model.url, joined)) as agent:
        async with asyncio.timeout(30):
            while "last words" not in str((report := (await agent.probe("/warmupz")).json())["error"]):
                await asyncio.sleep(0.1)
    assert report["error"].startswith(f"The tool server {sys.executable} is not available: ")
    assert f"can't open file '{joined['args'][0]}': [Errno 2] No such file or directory" in report["error"]


BY_TOOLS = """
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams, mcp_server_tools


async def agent(resources):
    model = resources.model_client(resources.config["model"])
    params = StdioServerParams(**resources.config["server"])
    if resources.config["by"] == "tools":
        given = {"tools": await resources.once("tools", lambda: mcp_server_tools(params))}
    else:
        given = {"workbench": await resources.once("workbench", lambda: started(params))}
    return AssistantAgent("support", model, reflect_on_tool_use=True, **given)


async def started(params):
    workbench = McpWorkbench(params)
    await workbench.start()
    return workbench
"""


@pytest.mark.parametrize("by", ["tools", "workbench"])
async def test_a_factory_may_hand_a_servers_tools_as_tools_or_as_a_workbench(
    model: ModelServer, tmp_path: Path, by: str
) -> None:
    (tmp_path / "by_tools.py").write_text(BY_TOOLS)
    params = {key: value for key, value in stdio("tools").items() if key != "type"}
    document = spec(entrypoint="by_tools:agent")
    document["agent"]["config"] = {"model": model_client(model.url), "server": params, "by": by}
    async with running(document, PYTHONPATH=str(tmp_path)) as agent:
        await agent.warm()
        assert await tools_offered(agent, model) == {"add", "slow", "grow", "die"}
        assert "2" in await agent.ask('CALL=add {"a": 1, "b": 1}')


async def test_a_tool_call_that_hangs_ends_at_the_deadline_of_its_request_alone(model: ModelServer) -> None:
    params = {**stdio("tools"), "read_timeout_seconds": 60}
    async with running(agent_spec(model.url, params), PREWARM_REQUEST_TIMEOUT_SECONDS="3") as agent:
        await agent.warm()
        hanging = asyncio.create_task(agent.post('CALL=slow {"seconds": 60}'))
        await asyncio.sleep(0.5)
        assert (await agent.ask('CALL=add {"a": 1, "b": 1}')).endswith(": 2")
        answer = await hanging
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
        async with asyncio.timeout(5):
            while await agent.metric("prewarm_agent_requests_in_flight") != {"": 0}:
                await asyncio.sleep(0.02)


async def test_a_tool_server_that_dies_is_back_for_later_requests(model: ModelServer) -> None:
    async with running(agent_spec(model.url, stdio("tools"))) as agent:
        await agent.warm()
        assert "not available" in await agent.ask("CALL=die {}")
        async with asyncio.timeout(20):
            while not (await agent.ask('CALL=add {"a": 1, "b": 1}')).endswith(": 2"):
                await asyncio.sleep(0.2)
