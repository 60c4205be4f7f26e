"""Tools that the spec declares: built once, unable to stop the others."""

import asyncio
import time
from typing import Any

from component.agent.agent_process import running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec
from component.agent.test_bad_specs import refused


def with_tools(url: str, *tools: dict[str, Any]) -> dict[str, Any]:
    component = {"provider": "autogen_core.tools.StaticWorkbench", "component_type": "workbench"}
    static = {**component, "component_version": 1, "config": {"tools": list(tools)}}
    return spec(assistant(url, workbench=[static], reflect_on_tool_use=True), security={"allowCode": True})


def function_tool(name: str, source: str) -> dict[str, Any]:
    config = {"name": name, "description": name, "source_code": source, "global_imports": []}
    return {
        "provider": "autogen_core.tools.FunctionTool",
        "component_type": "tool",
        "component_version": 1,
        "config": {**config, "has_cancellation_support": False},
    }


def http_tool(url: str) -> dict[str, Any]:
    host, _, port = url.removeprefix("http://").removesuffix("/v1").partition(":")
    schema = {"type": "object", "properties": {"deployment": {"type": "string"}}, "required": ["deployment"]}
    config = {"name": "models", "description": "Lists.", "host": host, "port": int(port), "path": "/v1/{deployment}"}
    return {
        "provider": "autogen_ext.tools.http.HttpTool",
        "component_type": "tool",
        "component_version": 1,
        "config": {**config, "method": "GET", "headers": {}, "json_schema": schema},
    }


async def test_an_http_tool_keeps_its_connection_and_is_built_once(model: ModelServer) -> None:
    async with running(with_tools(model.url, http_tool(model.url))) as agent:
        await agent.warm()
        for _ in range(5):
            assert '"object":"list"' in await agent.ask('CALL=models {"deployment": "models"}')
        assert model.lists == 5
        assert len(model.connections) == 2  # the model client's own and the tool's
        built = await agent.metric("prewarm_agent_resources_built_total")
        assert (built['{kind="tool"}'], built['{kind="ssl_context"}']) == (1, 1)


async def test_a_synchronous_tool_does_not_keep_other_requests_waiting(model: ModelServer) -> None:
    source = "def wait(seconds: float) -> str:\n    import time\n    time.sleep(seconds)\n    return 'waited'\n"
    async with running(with_tools(model.url, function_tool("wait", source))) as agent:
        await agent.warm()
        waiting = [asyncio.create_task(agent.ask('CALL=wait {"seconds": 3}')) for _ in range(10)]
        await asyncio.sleep(0.5)
        started = time.monotonic()
        assert await agent.ask("hello") == "heard 2: hello"
        assert not any(task.done() for task in waiting)
        assert time.monotonic() - started < 3
        assert all(answer.endswith("waited") for answer in await asyncio.gather(*waiting))


async def test_a_tool_that_uses_what_it_does_not_import_is_refused_before_a_user_finds_out(model: ModelServer) -> None:
    source = "def lookup(text: str) -> str:\n    return json.dumps(text)\n"
    message = await refused(with_tools(model.url, function_tool("lookup", source)))
    assert message["reason"] == "InvalidConfig"
    assert "uses json, which nothing defines" in message["message"]
    assert message["path"].endswith("workbench[0].config.tools[0].config.source_code")
