"""Counts, times and traces the calls of models and tools, wherever in an agent or team they are made.

AutoGen's event log tells of calls too, but neither how long they took nor which failed, and whole prompts are in it.
"""

import asyncio
import functools
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext
from typing import Any

from autogen_core.models import ChatCompletionClient, CreateResult
from autogen_core.tools import StaticStreamWorkbench, StaticWorkbench, ToolResult
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram

from prewarm_agent import metrics
from prewarm_agent.observe import request, traces


class Call:
    """One call under way: what its result says of it."""

    def __init__(self) -> None:
        self.failed = False
        self.attributes: dict[str, int] = {}


def watch_model(client: ChatCompletionClient, name: str, *, ignore: Callable[[], bool]) -> None:
    """Watches this client for good, as the model `name`. Calls for which `ignore` is true are rehearsed, not made."""
    create, create_stream = client.create, client.create_stream

    @functools.wraps(create)
    async def watched_create(*args: Any, **kwargs: Any) -> CreateResult:
        if ignore():
            return await create(*args, **kwargs)
        with _model_call(name) as call, _counted_in_request():
            result = await create(*args, **kwargs)
            _count_tokens(name, call, result)
        return result

    @functools.wraps(create_stream)
    async def watched_stream(*args: Any, **kwargs: Any) -> AsyncGenerator[str | CreateResult, None]:
        if ignore():
            async for part in create_stream(*args, **kwargs):
                yield part
            return
        with _model_call(name) as call:
            async with aclosing(create_stream(*args, **kwargs)) as parts:
                while True:
                    try:
                        with _counted_in_request():  # what the reader does with a part is no time of the model
                            part = await anext(parts)
                    except StopAsyncIteration:
                        return
                    if isinstance(part, CreateResult):
                        _count_tokens(name, call, part)
                    yield part

    client.create = watched_create  # type: ignore[method-assign]
    client.create_stream = watched_stream  # type: ignore[method-assign]


def watch_tools() -> None:
    """Watches the tools of all agents: AutoGen puts them into workbenches of these two classes."""
    StaticWorkbench.call_tool = watched_tool(StaticWorkbench.call_tool)  # type: ignore[method-assign]
    stream = StaticStreamWorkbench.call_tool_stream

    @functools.wraps(stream)
    async def watched(self: Any, name: str, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        with _tool_call(name) as call, _counted_in_request():
            async with aclosing(stream(self, name, *args, **kwargs)) as events:
                async for event in events:
                    if isinstance(event, ToolResult):
                        call.failed = event.is_error
                    yield event

    StaticStreamWorkbench.call_tool_stream = watched  # type: ignore[method-assign]


def watched_tool(call_tool: Callable[..., Any]) -> Callable[..., Any]:
    """A workbench's `call_tool`, watched. Agents ask it only for tools that it has, so the names are bounded."""

    @functools.wraps(call_tool)
    async def watched(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        with _tool_call(name) as call, _counted_in_request():
            result = await call_tool(self, name, *args, **kwargs)
            call.failed = result.is_error
            return result

    return watched


def _count_tokens(name: str, call: Call, result: CreateResult) -> None:
    used = {"prompt": result.usage.prompt_tokens, "completion": result.usage.completion_tokens}
    for direction, tokens in used.items():
        metrics.model_tokens.labels(model=name, direction=direction).inc(tokens)
        call.attributes[f"prewarm.{direction}_tokens"] = tokens


def _model_call(name: str) -> AbstractContextManager[Call]:
    labels = {"model": name}
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": name}
    span = ("model call", SpanKind.CLIENT, attributes)
    return _call(metrics.model_call_duration_seconds, labels, span)


def _tool_call(name: str) -> AbstractContextManager[Call]:
    labels = {"tool": name}
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
    span = ("tool call", SpanKind.INTERNAL, attributes)
    return _call(metrics.tool_call_duration_seconds, labels, span)


@contextmanager
def _call(histogram: Histogram, labels: dict[str, str], span: tuple[str, SpanKind, dict[str, str]]) -> Iterator[Call]:
    started = time.perf_counter()
    opened = traces.call_span(*span)
    call = Call()
    error = None
    try:
        yield call
    except (asyncio.CancelledError, GeneratorExit):
        error = "cancelled"
        raise
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        if call.failed:
            error = "error"
        outcome = "ok" if error is None else "cancelled" if error == "cancelled" else "error"
        histogram.labels(**labels, outcome=outcome).observe(time.perf_counter() - started)
        traces.end(opened, call.attributes, error=error)


def _counted_in_request() -> AbstractContextManager[None]:
    current = request.current.get()
    return nullcontext() if current is None else current.calling()
