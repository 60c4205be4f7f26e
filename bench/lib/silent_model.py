"""A model's API that never answers, and notices at once when a caller has gone."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class SilentModel:
    """`calls` holds, for each call under way, the text that was asked; `gone` when its caller left, in seconds."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: asyncio.Queue[str] = asyncio.Queue()
        self.gone: dict[str, asyncio.Future[float]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        body = await reader.readexactly(int(length[1]) if length else 0)
        found = re.search(rb"request \d+", body)
        assert found is not None
        text = found[0].decode()
        self.gone[text] = asyncio.get_running_loop().create_future()
        self.calls.put_nowait(text)
        with suppress(ConnectionError):
            await reader.read()  # ends when the connection does
        self.gone[text].set_result(time.perf_counter())
        writer.close()


@asynccontextmanager
async def silent_model() -> AsyncIterator[SilentModel]:
    """Serves in this process."""
    state = SilentModel()
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        server.close()
