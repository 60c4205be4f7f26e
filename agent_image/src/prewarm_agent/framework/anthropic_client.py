"""AutoGen's Anthropic client, made fit to be shared by agents and to be stopped."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

from anthropic.resources.messages import AsyncMessages
from autogen_core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage
from autogen_core.tools import Tool, ToolSchema
from autogen_ext.models.anthropic import AnthropicChatCompletionClient

Tools = Sequence[Tool | ToolSchema]

# Anthropic wants to see the tools again with their results. AutoGen keeps those of the client's last call for that,
# which may have been another agent's; an agent's calls share a context of their own.
_tools: ContextVar[Tools] = ContextVar("prewarm_anthropic_tools", default=())


# What AutoGen sends where the spec says nothing, and the API would take anyway; the newest models refuse to be told.
_DEFAULT_TEMPERATURE = 1.0


class SharedAnthropicClient(AnthropicChatCompletionClient):
    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._client.messages = _Messages(self._client)

    async def create(self, messages: Sequence[LLMMessage], *, tools: Tools = (), **options: Any) -> CreateResult:
        return await super().create(messages, tools=_tools_for(messages, tools), **options)

    async def create_stream(
        self, messages: Sequence[LLMMessage], *, tools: Tools = (), **options: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """As AutoGen's, except that the token stops it: AutoGen's only looks at it until the first piece has come."""
        token = options.get("cancellation_token")
        async with aclosing(super().create_stream(messages, tools=_tools_for(messages, tools), **options)) as stream:
            while True:
                piece = asyncio.ensure_future(anext(stream, None))
                if token is not None:
                    token.link_future(piece)
                if (value := await piece) is None:
                    return
                yield value


class _Messages(AsyncMessages):
    """Takes the arguments that AutoGen knows, of which the SDK has given up some that the API still has."""

    def create(self, **arguments: Any) -> Any:
        if arguments.get("temperature") == _DEFAULT_TEMPERATURE:
            del arguments["temperature"]
        known = {name: arguments.pop(name) for name in list(arguments) if name in _SDK_ARGUMENTS}
        return super().create(**known, extra_body=arguments or None)


_SDK_ARGUMENTS = inspect.signature(AsyncMessages.create).parameters


def _tools_for(messages: Sequence[LLMMessage], tools: Tools) -> Tools:
    if tools:
        _tools.set(tools)
        return tools
    if any(isinstance(message, FunctionExecutionResultMessage) for message in messages):
        return _tools.get()
    return tools
