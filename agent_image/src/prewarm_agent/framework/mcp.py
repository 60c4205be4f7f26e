"""Tools of MCP servers, for agents: a workbench that all requests share."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autogen_core import CancellationToken, Image, trace_tool_span
from autogen_core.tools import (
    ImageResultContent,
    ParametersSchema,
    TextResultContent,
    ToolOverride,
    ToolResult,
    ToolSchema,
    Workbench,
)
from autogen_ext.tools.mcp import McpWorkbench
from mcp import types

from prewarm_agent.framework.mcp_connection import McpConnection, Unavailable
from prewarm_agent.framework.model_pool import ModelPool
from prewarm_agent.observe.calls import watched_tool
from prewarm_agent.spec.findings import PermanentError
from prewarm_agent.spec.validation import validate

# Between two looks at servers that have not answered yet.
_LOOK_SECONDS = 0.2


class SharedWorkbench(Workbench):
    """The tools of one server, as AutoGen's McpWorkbench offers them, which starts its server for whoever uses it.

    Agents of any request may use it at the same time; starting and stopping it is not theirs.
    """

    def __init__(self, connection: McpConnection, overrides: Mapping[str, ToolOverride]) -> None:
        self._connection = connection
        self._overrides = overrides
        self._original_names = {override.name: name for name, override in overrides.items() if override.name}

    @classmethod
    def of(
        cls, component: Mapping[str, Any], path: str, ssl_context: ssl.SSLContext, models: ModelPool
    ) -> "SharedWorkbench":
        """The workbench of a component. Raises PermanentError with the findings about it."""
        config, findings = validate(
            McpWorkbench.component_config_schema, component.get("config") or {}, f"{path}.config"
        )
        if config is None or findings:
            raise PermanentError(findings)
        sampling = component["config"].get("model_client")
        client = models.get(sampling, f"{path}.config.model_client").client if sampling else None
        return cls(McpConnection(config.server_params, ssl_context, client), config.tool_overrides)

    @property
    def server(self) -> str:
        """Its command or URL."""
        return self._connection.name

    @property
    def error(self) -> str | None:
        """Why its server is not there, in one sentence; None while it is."""
        return self._connection.error

    async def list_tools(self) -> list[ToolSchema]:
        return [self._schema(tool) for tool in await self._connection.tools()]

    @watched_tool
    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """What fails is a result, which the model reads; only a cancellation raises."""
        with trace_tool_span(tool_name=name, tool_call_id=call_id):
            call = asyncio.ensure_future(self._connection.call(self._original_names.get(name, name), arguments or {}))
            if cancellation_token is not None:
                cancellation_token.link_future(call)
            try:
                answer = await call
            except Unavailable as error:
                text = f"The tool server is not available: {error}"
                return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)
            except Exception as error:
                return ToolResult(name=name, result=[TextResultContent(content=str(error))], is_error=True)
            return ToolResult(name=name, result=[_content(part) for part in answer.content], is_error=answer.isError)

    async def start(self) -> None:
        self._connection.start()

    async def stop(self) -> None:
        """Does nothing: other requests use the server."""

    async def reset(self) -> None: ...

    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...

    async def close(self) -> None:
        await self._connection.close()

    def _schema(self, tool: types.Tool) -> ToolSchema:
        override = self._overrides.get(tool.name)
        schema = tool.inputSchema
        return ToolSchema(
            name=(override and override.name) or tool.name,
            description=(override and override.description) or tool.description or "",
            parameters=ParametersSchema(
                type="object",
                properties=schema.get("properties", {}),
                required=schema.get("required", []),
                additionalProperties=schema.get("additionalProperties", False),
            ),
        )


async def prove(
    workbenches: Sequence[SharedWorkbench], *, timeout_seconds: float, report: Callable[[str, str | None], None]
) -> None:
    """Returns when every server has named its tools; those that fail are tried again until then.

    Tells `report` of each server what it lacks, and None once it is there. Raises Unavailable, with a sentence for each
    server that is not there after the time.
    """
    proofs = [asyncio.create_task(_prove(workbench, report)) for workbench in workbenches]
    if not proofs:
        return
    try:
        await asyncio.wait(proofs, timeout=timeout_seconds)
        missing = [workbench for workbench, proof in zip(workbenches, proofs, strict=True) if not proof.done()]
    finally:
        for proof in proofs:
            proof.cancel()
    for workbench in missing:  # one that says nothing at all has not been told of yet
        report(workbench.server, _lack(workbench))
    if missing:
        raise Unavailable(" ".join(map(_lack, missing)))


async def _prove(workbench: SharedWorkbench, report: Callable[[str, str | None], None]) -> None:
    while True:
        try:
            await workbench.list_tools()
        except Unavailable:
            report(workbench.server, _lack(workbench))
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            report(workbench.server, None)
            return


def _lack(workbench: SharedWorkbench) -> str:
    return f"The tool server {workbench.server} is not available: {workbench.error or 'it has not answered yet.'}"


def _content(part: Any) -> TextResultContent | ImageResultContent:
    if isinstance(part, types.TextContent):
        return TextResultContent(content=part.text)
    if isinstance(part, types.ImageContent):
        return ImageResultContent(content=Image.from_base64(part.data))
    return TextResultContent(content=part.model_dump_json())
