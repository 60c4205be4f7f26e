"""Real MCP servers, each a process. `python mcp_servers.py KIND [PORT]`: over stdio, or over HTTP on a port.

`tools` has add, slow, die, and grow, which makes another tool appear; `counted` is the same and counts its starts;
`hang` reads and never answers; `broken` cannot start; `chatty` greets on standard output, which is the protocol's.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ToolAnnotations

STDIO = "autogen_ext.tools.mcp.McpWorkbench"


def workbench(params: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {
        "provider": STDIO,
        "component_type": "workbench",
        "component_version": 1,
        "config": {"server_params": params, **config},
    }


def stdio(kind: str, *arguments: str) -> dict[str, Any]:
    return {"type": "StdioServerParams", "command": sys.executable, "args": [__file__, kind, *arguments]}


def streamable_http(port: int) -> dict[str, Any]:
    return {"type": "StreamableHttpServerParams", "url": f"http://127.0.0.1:{port}/mcp", "timeout": 5}


def sse(port: int) -> dict[str, Any]:
    return {"type": "SseServerParams", "url": f"http://127.0.0.1:{port}/sse"}


@asynccontextmanager
async def http_server(kind: str, port: int, transport: str = "streamable-http") -> AsyncIterator[None]:
    """A server over HTTP that accepts connections."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, kind, str(port), transport, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while not await _accepts(port):
                await asyncio.sleep(0.05)
        yield
    finally:
        process.kill()
        await process.wait()


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _server(**options: Any) -> FastMCP:
    server = FastMCP("tools", log_level="CRITICAL", **options)

    @server.tool(annotations=ToolAnnotations(readOnlyHint=True))
    def add(a: int, b: int) -> str:
        """Adds two numbers."""
        return str(a + b)

    @server.tool()
    async def slow(seconds: float) -> str:
        """Takes its time."""
        await asyncio.sleep(seconds)
        return "done"

    @server.tool()
    async def grow(context: Context) -> str:  # type: ignore[type-arg]
        """Makes the tool `multiply` appear and `add` disappear."""

        def multiply(a: int, b: int) -> str:
            """Multiplies two numbers."""
            return str(a * b)

        server.add_tool(multiply)
        server.remove_tool("add")
        await context.session.send_tool_list_changed()
        return "grown"

    @server.tool()
    def die() -> str:
        """Ends the server."""
        print("the disk is full", file=sys.stderr, flush=True)
        os._exit(3)

    return server


def _main(kind: str, port: str = "", transport: str = "streamable-http") -> None:
    if kind == "hang":
        for _ in sys.stdin:
            pass
    elif kind == "broken":
        sys.exit("cannot read the settings file")
    elif kind == "counted":  # `port` is a file that grows by a byte for each start
        with Path(port).open("a") as file:
            file.write("x")
        _server().run("stdio")
    elif kind == "chatty":
        print("Welcome to the tools!\nLoading 3 plugins...", flush=True)
        _server().run("stdio")
    elif port:
        _server(host="127.0.0.1", port=int(port)).run(transport)  # type: ignore[arg-type]
    else:
        _server().run("stdio")


if __name__ == "__main__":
    _main(*sys.argv[1:])
