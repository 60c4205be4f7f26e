"""Everything that a process builds once: one object of each kind for each distinct configuration."""

import ssl
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
import httpx2
from autogen_agentchat.messages import StructuredMessageFactory
from autogen_core import ComponentLoader
from autogen_core.tools import BaseTool

from prewarm_agent import metrics
from prewarm_agent.framework.http_client import HTTPSettings
from prewarm_agent.framework.model_pool import ModelPool
from prewarm_agent.framework.models import canonical_key
from prewarm_agent.framework.tools import build_tool
from prewarm_agent.framework.upstream import OnModelCall
from prewarm_agent.spec.findings import Finding, PermanentError, Reason

if TYPE_CHECKING:  # its import takes a third of a second: only for those who have tools there
    from prewarm_agent.framework.mcp import SharedWorkbench

T = TypeVar("T")


class Parts:
    """Owns the parts: they live until `close`, and belong to the event loop that they were made in.

    Each getter takes a component of the spec, and the path of its findings; it raises PermanentError.
    """

    def __init__(self, *, connections: int, read_timeout_seconds: float, on_model_call: OnModelCall) -> None:
        self._connections = connections
        self._read_timeout_seconds = read_timeout_seconds
        self._on_model_call = on_model_call
        self._built: dict[str, object] = {}
        self.models = ModelPool(lambda: self._http)
        self.workbenches: list[SharedWorkbench] = []

    def workbench(self, component: dict[str, Any], path: str) -> "SharedWorkbench":
        """The workbench of an MCP server, which is started at its first use."""
        return self._once(component, "workbench", lambda: self._workbench(component, path))

    def tool(self, component: dict[str, Any], path: str) -> BaseTool[Any, Any]:
        """A FunctionTool or HttpTool."""
        return self._once(component, "tool", lambda: build_tool(component, self._tool_http_client, path))

    def message_format(self, component: dict[str, Any], path: str) -> StructuredMessageFactory:
        """A format of structured messages, whose class takes milliseconds to make and is never freed."""
        return self._once(component, "custom", lambda: _message_format(component, path))

    async def close(self) -> None:
        """Closes every connection and ends the servers of tools. Nothing may run any more."""
        for workbench in self.workbenches:
            await workbench.close()
        if "_tool_http_client" in vars(self):
            await self._tool_http_client.aclose()
        await self.models.close()

    @cached_property
    def _http(self) -> HTTPSettings:
        return HTTPSettings(_ssl_context(), self._connections, self._read_timeout_seconds, self._on_model_call)

    @cached_property
    def _tool_http_client(self) -> httpx.AsyncClient:
        metrics.resources_built.labels(kind="http_client").inc()
        # Redirects are answers to a tool, as in AutoGen.
        return httpx.AsyncClient(**self._http.options(httpx) | {"follow_redirects": False})

    def _once(self, component: dict[str, Any], kind: str, build: Callable[[], T]) -> T:
        key = canonical_key(component)
        if key not in self._built:
            self._built[key] = build()
            metrics.resources_built.labels(kind=kind).inc()
        return cast(T, self._built[key])

    def _workbench(self, component: dict[str, Any], path: str) -> "SharedWorkbench":
        from prewarm_agent.framework.mcp import SharedWorkbench

        made = SharedWorkbench.of(component, path, self._http.ssl_context, self.models)
        self.workbenches.append(made)
        return made


def _message_format(component: dict[str, Any], path: str) -> StructuredMessageFactory:
    try:
        return ComponentLoader.load_component(component, expected=StructuredMessageFactory)
    except Exception as error:
        raise PermanentError([Finding(Reason.INVALID_CONFIG, f"{path}.config", f"{error}.")]) from error


def _ssl_context() -> ssl.SSLContext:
    metrics.resources_built.labels(kind="ssl_context").inc()
    return httpx2.create_ssl_context()  # 25 ms: it parses every CA certificate of the system
