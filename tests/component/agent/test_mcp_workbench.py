"""The workbench of an MCP server: real servers over each transport, shared, changed, slow, dead and started again."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from autogen_core import CancellationToken
from component.agent.mcp_servers import http_server, sse, stdio, streamable_http, workbench

from prewarm_agent import metrics
from prewarm_agent.framework import mcp_connection
from prewarm_agent.framework.mcp import SharedWorkbench, prove
from prewarm_agent.framework.mcp_connection import Unavailable
from prewarm_agent.framework.parts import Parts


@asynccontextmanager
async def parts() -> AsyncIterator[Parts]:
    made = Parts(connections=10, read_timeout_seconds=5, on_model_call=lambda _: None)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def shared(params: dict[str, Any], **config: Any) -> AsyncIterator[SharedWorkbench]:
    async with parts() as made:
        yield made.workbench(workbench(params, **config), "workbench")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def names(tools: SharedWorkbench) -> set[str]:
    return {tool["name"] for tool in await tools.list_tools()}


async def proven(tools: SharedWorkbench, seconds: float = 30) -> list[str | None]:
    reports: list[str | None] = []
    await prove([tools], timeout_seconds=seconds, report=lambda _, text: reports.append(text))
    return reports


@asynccontextmanager
async def server(transport: str) -> AsyncIterator[dict[str, Any]]:
    if transport == "stdio":
        yield stdio("tools")
        return
    port = free_port()
    async with http_server("tools", port, transport):
        yield sse(port) if transport == "sse" else streamable_http(port)


@pytest.mark.parametrize("transport", ["stdio", "streamable-http", "sse"])
async def test_tools_are_listed_called_and_seen_to_change(transport: str) -> None:
    async with server(transport) as params, shared(params) as tools:
        await proven(tools)
        assert await names(tools) == {"add", "slow", "grow", "die"}
        answer = await tools.call_tool("add", {"a": 1, "b": 2})
        assert (answer.to_text(), answer.is_error) == ("3", False)
        wrong = await tools.call_tool("add", {"a": "one"})
        assert wrong.is_error
        assert (await tools.call_tool("grow")).to_text() == "grown"
        async with asyncio.timeout(10):
            while "multiply" not in await names(tools):
                await asyncio.sleep(0.05)
        assert "add" not in await names(tools)
        removed = await tools.call_tool("add", {"a": 1, "b": 2})
        assert removed.is_error
        assert "Unknown tool" in removed.to_text()


async def test_the_list_is_asked_for_once_and_not_for_each_model_call(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    original = mcp_connection._all_tools

    async def counted(session: Any) -> Any:
        nonlocal asked
        asked += 1
        return await original(session)

    monkeypatch.setattr(mcp_connection, "_all_tools", counted)
    async with shared(stdio("tools")) as tools:
        await proven(tools)
        await asyncio.gather(*(tools.list_tools() for _ in range(50)))
    assert asked == 1


async def test_a_hanging_tool_call_keeps_nobody_else_waiting_and_ends_with_its_request() -> None:
    async with shared({**stdio("tools"), "read_timeout_seconds": 60}) as tools:
        await proven(tools)
        token = CancellationToken()
        hanging = asyncio.create_task(tools.call_tool("slow", {"seconds": 60}, token))
        answers = await asyncio.gather(*(tools.call_tool("add", {"a": 1, "b": number}) for number in range(20)))
        assert [answer.to_text() for answer in answers] == [str(1 + number) for number in range(20)]
        assert not hanging.done()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        assert not (await tools.call_tool("add", {"a": 1, "b": 1})).is_error


async def test_a_tool_call_ends_at_the_time_limit_of_the_server() -> None:
    async with shared({**stdio("tools"), "read_timeout_seconds": 2}) as tools:
        await proven(tools)
        answer = await tools.call_tool("slow", {"seconds": 60})
        assert answer.is_error
        assert "Timed out" in answer.to_text()


@pytest.mark.parametrize(
    ("kind", "text"), [("hang", "has not answered yet"), ("broken", "cannot read the settings file")]
)
async def test_a_server_that_cannot_be_proven_is_named_with_what_is_known(kind: str, text: str) -> None:
    async with shared(stdio(kind)) as tools:
        started = time.monotonic()
        with pytest.raises(Unavailable, match=text) as raised:
            await proven(tools, 3)
        assert time.monotonic() - started < 20
        assert tools.server in str(raised.value)


async def test_a_server_that_hangs_at_its_start_is_ended_and_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_connection, "START_SECONDS", 0.3)
    async with shared(stdio("hang")) as tools:
        with pytest.raises(Unavailable, match="said nothing within"):
            await proven(tools, 4)


async def test_a_server_that_comes_late_is_waited_for() -> None:
    port = free_port()
    async with shared(streamable_http(port)) as tools:
        proof = asyncio.create_task(proven(tools))
        await asyncio.sleep(1)
        assert not proof.done()
        async with http_server("tools", port):
            reports = await proof
        assert reports[-1] is None


@pytest.mark.parametrize("transport", ["stdio", "streamable-http"])
async def test_a_server_that_dies_is_said_to_the_model_and_is_back_for_the_next(
    monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(mcp_connection, "RETURN_SECONDS", 1)
    port = free_port()
    params = stdio("tools") if transport == "stdio" else streamable_http(port)
    async with shared(params) as tools:
        if transport == "stdio":
            await proven(tools)
            answer = await tools.call_tool("die")
        else:
            async with http_server("tools", port):
                await proven(tools)
            answer = await tools.call_tool("add", {"a": 1, "b": 1})
        assert answer.is_error
        assert "not available" in answer.to_text()
        assert "add" in await names(tools)  # as it was known: a run goes on, and is told by each call
        async with http_server("tools", port), asyncio.timeout(30):
            while (await tools.call_tool("add", {"a": 1, "b": 2})).to_text() != "3":
                await asyncio.sleep(0.1)


async def test_equal_workbenches_are_one_server_started_once(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    before = metrics.resources_built.labels(kind="workbench")._value.get()
    async with parts() as made:
        component = workbench(stdio("counted", str(starts)))
        first = made.workbench(component, "a")
        second = made.workbench({**component, "label": "another"}, "b")
        assert first is second
        await prove(made.workbenches, timeout_seconds=30, report=lambda *_: None)
        await asyncio.gather(*(first.call_tool("add", {"a": 1, "b": 1}) for _ in range(20)))
    assert starts.read_text() == "x"
    assert metrics.resources_built.labels(kind="workbench")._value.get() - before == 1


async def test_tools_may_be_called_otherwise_than_their_server_calls_them() -> None:
    overrides = {"add": {"name": "plus", "description": "Sums."}}
    async with shared(stdio("tools"), tool_overrides=overrides) as tools:
        await proven(tools)
        listed = {tool["name"]: tool.get("description") for tool in await tools.list_tools()}
        assert listed["plus"] == "Sums."
        assert "add" not in listed
        assert (await tools.call_tool("plus", {"a": 2, "b": 2})).to_text() == "4"
