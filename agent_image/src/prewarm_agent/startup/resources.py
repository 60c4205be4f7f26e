"""What is expensive, and therefore built once in a process and shared by all its requests."""

import asyncio
import inspect
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import httpx2
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, Workbench

from prewarm_agent import metrics
from prewarm_agent.framework.http_client import ModelHTTPClient
from prewarm_agent.framework.models import build_model_client, canonical_key

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SharedModel:
    """A model client and the names it goes by: its own in this process, and its model's."""

    name: str
    model: str
    client: ChatCompletionClient


_MODEL_CLIENT_PATH = "model_client"


class Resources:
    """The argument of an agent factory: shared clients and whatever else the author wants built once.

    A factory is called for every request and must return a fresh agent or team each time, because agents remember
    what they read. What takes time to build comes from here::

        from autogen_agentchat.agents import AssistantAgent
        from prewarm_agent import Resources

        async def support(resources: Resources) -> AssistantAgent:
            client = resources.model_client({
                "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
                "config": {"model": "gpt-4o-mini"},
            })
            store = await resources.once("orders", open_order_store)
            return AssistantAgent("support", client, tools=[store.lookup_tool])

    The factory is called before the pod is ready, and the first run is rehearsed without a network: model calls of
    clients from `model_client` are then answered by the client itself. Clients built in other ways are not known to
    the rehearsal, and would call their servers in it.
    """

    def __init__(self, *, connections: int, read_timeout_seconds: float) -> None:
        self._connections = connections
        self._read_timeout_seconds = read_timeout_seconds
        self._ssl_context: ssl.SSLContext | None = None
        self._http_clients: list[httpx2.AsyncClient] = []
        self._models: dict[str, SharedModel] = {}
        self._values: dict[str, asyncio.Future[Any]] = {}

    def model_client(self, component: Mapping[str, Any]) -> ChatCompletionClient:
        """The model client of an AutoGen component (`{"provider": ..., "config": {...}}`), built at the first call.

        Equal components give the same client. Raises PermanentError, which ends the start with a message, when the
        component is not a known model client, has a wrong configuration, or its key is missing in the environment.
        """
        return self.shared_model(component, _MODEL_CLIENT_PATH).client

    async def once(self, name: str, builder: Callable[[], T | Awaitable[T]]) -> T:
        """The value of `builder()`, awaited if need be, built at the first call of that name and kept.

        Concurrent first calls wait for the same build. If it raises, all of them get the exception and the next call
        builds anew.
        """
        value = self._values.get(name)
        if value is None:
            value = asyncio.ensure_future(self._build(builder))
            self._values[name] = value
            value.add_done_callback(lambda done: self._forget_failed(name, done))
        # Shielded: one caller that is cancelled must not take the build from the others.
        return cast(T, await asyncio.shield(value))

    def shared_model(self, component: Mapping[str, Any], path: str) -> SharedModel:
        """What `model_client` gives, with its names; `path` is where errors say the component is."""
        key = canonical_key(component)
        if key not in self._models:
            http_client = ModelHTTPClient(
                ssl_context=self._shared_ssl_context(),
                connections=self._connections,
                read_timeout_seconds=self._read_timeout_seconds,
            )
            client = build_model_client(component, http_client, path)
            self._http_clients.append(http_client)
            self._models[key] = SharedModel(f"model-{len(self._models)}", component["config"]["model"], client)
            metrics.resources_built.labels(kind="http_client").inc()
            metrics.resources_built.labels(kind="model_client").inc()
        return self._models[key]

    @property
    def models(self) -> list[SharedModel]:
        return list(self._models.values())

    async def close(self) -> None:
        """Closes the connections to the models. Nothing may run any more."""
        for client in self._http_clients:
            await client.aclose()

    def _shared_ssl_context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = httpx2.create_ssl_context()  # 25 ms: it parses every CA certificate of the system
            metrics.resources_built.labels(kind="ssl_context").inc()
        return self._ssl_context

    async def _build(self, builder: Callable[[], T | Awaitable[T]]) -> T:
        value = builder()
        if inspect.isawaitable(value):
            value = await value
        if isinstance(value, BaseTool):
            kind = "tool"
        elif isinstance(value, Workbench):
            kind = "workbench"
        else:
            kind = "custom"
        metrics.resources_built.labels(kind=kind).inc()
        return cast(T, value)

    def _forget_failed(self, name: str, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._values.pop(name, None)
