"""One MCP server for the whole process: started once, asked by all requests, started again when it dies."""

import asyncio
import logging
import os
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar, cast

import anyio
import httpx
from autogen_core.models import ChatCompletionClient
from autogen_ext.tools.mcp import McpSessionActor, SseServerParams, StdioServerParams, StreamableHttpServerParams
from mcp import ClientSession, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

logger = logging.getLogger(__name__)

T = TypeVar("T")
ServerParams = StdioServerParams | SseServerParams | StreamableHttpServerParams

# A server that has not said by then what it can do is ended and started anew. Those of npx and uvx may download first.
START_SECONDS = 30.0
# How long a call waits for a server that is being started again.
RETURN_SECONDS = 5.0
# How long a new list of tools is waited for where there is an older one.
PATIENCE_SECONDS = 1.0
# Servers say when their tools change, but not all do, and what they say may be lost.
LIST_SECONDS = 30.0
_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 30.0
_STDERR_LINES = 5


class Unavailable(Exception):
    """The server is not there; the text says since what, in one sentence."""


class McpConnection:
    """Connects at the first `start`, and from then on whenever the connection is lost, until `close`.

    One task opens and closes each connection, as the scopes of anyio demand; all others only use its session.
    """

    def __init__(
        self, params: ServerParams, ssl_context: ssl.SSLContext, sampling_client: ChatCompletionClient | None
    ) -> None:
        # Without what may be a key: the name is told in the log and on a port without a password.
        self.name = (
            params.command
            if isinstance(params, StdioServerParams)
            else str(httpx.URL(params.url).copy_with(query=None, userinfo=b""))
        )
        self._params = params
        self._ssl_context = ssl_context
        # What AutoGen's own client answers servers that ask for a model with.
        self._sampling = McpSessionActor(params, sampling_client)._sampling_callback if sampling_client else None
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._task: asyncio.Task[None] | None = None
        self._session: ClientSession | None = None
        self._ready = asyncio.Event()
        self._lost: asyncio.Future[None] | None = None
        self._tools: list[types.Tool] | None = None
        self._listed_at = -LIST_SECONDS
        self._listing: asyncio.Task[list[types.Tool]] | None = None
        self._listing_since = 0.0
        self._closing = False
        self.error: str | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Ends the connection, and the server if it is a process of ours."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def tools(self) -> list[types.Tool]:
        """The server's tools: those it named last, asked for again when it said that they changed, or after a while.

        A server that is away still has the tools that it had: each call says then that it cannot be reached. Raises
        Unavailable where there were never any.
        """
        if self._tools is not None and asyncio.get_running_loop().time() - self._listed_at < LIST_SECONDS:
            return self._tools
        if self._tools is not None and self._session is None:
            return self._tools
        if self._listing is None or self._listing.done():
            self._listing = asyncio.create_task(self._list())
            self._listing_since = asyncio.get_running_loop().time()
        if self._tools is not None:
            # One that is slow to answer holds up nobody for longer, who has its tools already.
            patience = self._listing_since + PATIENCE_SECONDS - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait({self._listing}, timeout=max(0.0, patience))
            for listing in done:
                listing.exception()  # seen: the tools of before stay
            return self._tools
        try:
            return await asyncio.shield(self._listing)
        except Exception as error:
            raise Unavailable(self.error or _sentence(error)) from error

    async def call(self, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        """Raises Unavailable, or McpError for what the server or its time limit says."""
        session = await self._connected()
        return await self._unless_lost(session.call_tool(name, dict(arguments)))

    async def _list(self) -> list[types.Tool]:
        session = await self._connected()
        # Before the answer: a change that is announced meanwhile must not be taken for old news.
        self._listed_at = asyncio.get_running_loop().time()
        self._tools = await self._unless_lost(_all_tools(session))
        return self._tools

    async def _connected(self) -> ClientSession:
        self.start()
        if self._session is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(RETURN_SECONDS):
                    await self._ready.wait()
        if self._session is None:
            raise Unavailable(self.error or "it has not answered yet.")
        return self._session

    async def _unless_lost(self, work: Awaitable[T]) -> T:
        """The result of `work`. A session that is torn down leaves those who wait for its answers to wait."""
        assert self._lost is not None
        lost: asyncio.Future[Any] = self._lost
        task: asyncio.Future[Any] = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task, lost], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return cast(T, task.result())
            raise Unavailable("the connection was lost before it answered.")
        finally:
            task.cancel()

    async def _keep(self) -> None:
        delay = _FIRST_RETRY_SECONDS
        while not self._closing:
            self._lost = asyncio.get_running_loop().create_future()
            try:
                async with self._opened():
                    delay = _FIRST_RETRY_SECONDS
                    await asyncio.get_running_loop().create_future()  # ends when the connection breaks
            except Exception as error:
                self.error = self._with_stderr(_sentence(error))
            finally:
                self._session = None
                self._ready.clear()
                self._listed_at = -LIST_SECONDS
                if not self._lost.done():
                    self._lost.set_result(None)
            if self._closing:  # what was torn down may have raised an error of its own instead of the cancellation
                return
            logger.warning("tool server lost", extra={"server": self.name, "error": self.error})
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - spreads the retries of many pods
            delay = min(delay * 2, _LAST_RETRY_SECONDS)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        """A session that is initialized. When its connection breaks, the body is cancelled and this raises."""
        send, receive = anyio.create_memory_object_stream[Any](0)
        async with self._transport() as (read, write), anyio.create_task_group() as group:
            group.start_soon(_forward, read, send)
            timeout = timedelta(seconds=_read_timeout_seconds(self._params))
            async with ClientSession(
                receive, write, timeout, sampling_callback=self._sampling, message_handler=self._on_message
            ) as session:
                async with asyncio.timeout(START_SECONDS):
                    await session.initialize()
                self._session, self.error = session, None
                self._ready.set()
                yield

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[tuple[Any, Any]]:
        params = self._params
        if isinstance(params, StdioServerParams):
            self._stderr.clear()
            with self._stderr_pipe() as pipe:
                async with stdio_client(params, errlog=pipe) as streams:
                    yield streams
        elif isinstance(params, SseServerParams):
            async with sse_client(
                params.url, params.headers, params.timeout, params.sse_read_timeout, self._http_client
            ) as streams:
                yield streams
        else:
            timeout = httpx.Timeout(params.timeout, read=params.sse_read_timeout)
            async with (
                self._http_client(params.headers, timeout) as http,
                streamable_http_client(params.url, http_client=http, terminate_on_close=params.terminate_on_close) as (
                    read,
                    write,
                    _,
                ),
            ):
                yield read, write

    def _http_client(
        self,
        headers: dict[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
        auth: httpx.Auth | None = None,
    ) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=self._ssl_context, headers=headers, timeout=timeout, auth=auth)

    def _stderr_pipe(self) -> Any:
        """A file for the server's standard error. Its last lines are kept for the message; our log is JSON."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        loop = asyncio.get_running_loop()

        def readable() -> None:
            data = os.read(reader, 65536)
            if not data:
                loop.remove_reader(reader)
                os.close(reader)
            self._stderr.extend(line for line in data.decode(errors="replace").splitlines() if line.strip())

        loop.add_reader(reader, readable)
        return os.fdopen(writer, "w")

    def _with_stderr(self, text: str) -> str:
        return f"{text} Its last words: {' | '.join(self._stderr)[-500:]}" if self._stderr else text

    async def _on_message(self, message: Any) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ToolListChangedNotification
        ):
            self._listed_at = -LIST_SECONDS


async def _forward(source: Any, target: Any) -> None:
    """Passes messages on, and raises at their end: a session does not say when its server is gone."""
    async with target:
        async for message in source:
            await target.send(message)
    raise Unavailable("the server ended the connection.")


async def _all_tools(session: ClientSession) -> list[types.Tool]:
    page = await session.list_tools()
    tools = list(page.tools)
    while page.nextCursor:
        page = await session.list_tools(params=types.PaginatedRequestParams(cursor=page.nextCursor))
        tools += page.tools
    return tools


def _read_timeout_seconds(params: ServerParams) -> float:
    return params.read_timeout_seconds if isinstance(params, StdioServerParams) else params.sse_read_timeout


def _sentence(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return f"it said nothing within {START_SECONDS:.0f} s."
    return f"{error or type(error).__name__}".rstrip(".") + "."
