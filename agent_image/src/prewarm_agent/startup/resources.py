"""What is expensive, and therefore built once in a process and shared by all its requests."""

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, Workbench

from prewarm_agent import metrics
from prewarm_agent.framework.parts import Parts
from prewarm_agent.framework.upstream import Outcome

T = TypeVar("T")


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
            store = await resources.once("orders", open_order_store, warmup=OrderStore.ping)
            return AssistantAgent("support", client, tools=[store.lookup_tool])

    The factory is called before the pod is ready, and the first run is rehearsed without a network: model calls of
    clients from `model_client` are then answered by the client itself. Clients built in other ways are not known to
    the rehearsal, and would call their servers in it.

    Attributes:
        config: `agent.config` of the spec, whatever its author has put there; empty without one.
    """

    def __init__(
        self,
        *,
        connections: int,
        read_timeout_seconds: float,
        on_model_call: Callable[[Outcome], object] = lambda _: None,
    ) -> None:
        self.parts = Parts(
            connections=connections, read_timeout_seconds=read_timeout_seconds, on_model_call=on_model_call
        )
        self.config: Mapping[str, Any] = {}
        # What the warm-up calls, by the name of what was built.
        self.warmups: dict[str, Callable[[], Awaitable[object]]] = {}
        self._values: dict[str, asyncio.Future[Any]] = {}

    def model_client(self, component: Mapping[str, Any]) -> ChatCompletionClient:
        """The model client of an AutoGen component (`{"provider": ..., "config": {...}}`), built at the first call.

        Equal components give the same client. Raises PermanentError, which ends the start with a message, when the
        component is not a known model client, has a wrong configuration, or its key is missing in the environment.
        """
        return self.parts.models.get(component, _MODEL_CLIENT_PATH).client

    def named_model(self, name: str) -> ChatCompletionClient:
        """The model client that the spec, or the pool of a generic pod, declares under `models` by that name.

        Raises PermanentError if there is none.
        """
        return self.parts.models.named(name, _MODEL_CLIENT_PATH).client

    async def once(
        self,
        name: str,
        builder: Callable[[], T | Awaitable[T]],
        *,
        warmup: Callable[[T], Awaitable[object]] | None = None,
    ) -> T:
        """The value of `builder()`, awaited if need be, built at the first call of that name and kept.

        Concurrent first calls wait for the same build. If it raises, all of them get the exception and the next call
        builds anew; at the start of the process, that ends the start.

        `warmup` is awaited with the value before the pod is ready, in the warm-up modes `connect` and `live`: to open
        the connection to a database, say, or to load an index. If it raises, it is called again later, and
        `warmup.required` of the spec decides whether the pod may be ready meanwhile, as with a model's API.
        """
        value = self._values.get(name)
        if value is None:
            # In a context of its own: what is built for all must not carry the marks of the request, or of the
            # rehearsal, that happened to ask first.
            build = self._build(name, builder, warmup)
            value = asyncio.get_running_loop().create_task(build, context=contextvars.Context())
            self._values[name] = value
            value.add_done_callback(lambda done: self._forget_failed(name, done))
        # Shielded: one caller that is cancelled must not take the build from the others.
        return cast(T, await asyncio.shield(value))

    async def close(self) -> None:
        """Closes the connections to models and servers of tools. Nothing may run any more."""
        await self.parts.close()

    async def _build(
        self,
        name: str,
        builder: Callable[[], T | Awaitable[T]],
        warmup: Callable[[T], Awaitable[object]] | None,
    ) -> T:
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
        if warmup is not None:
            self.warmups[name] = partial(warmup, cast(T, value))
        return cast(T, value)

    def _forget_failed(self, name: str, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._values.pop(name, None)
