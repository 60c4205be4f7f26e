"""How kopf reaches the API server: with the official client's configuration, over a session that paces watches."""

import asyncio
from typing import Any

import aiohttp
import kopf

WATCH_PACE_SECONDS = 1.0
"""A watch is asked for at most this often."""


async def login(**kwargs: Any) -> kopf.AiohttpSession | None:
    """A login handler of kopf's."""
    info = kopf.login_via_client(**kwargs)
    if info is None:
        return None
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        trust_env=True,  # as the official client does
        middlewares=(WatchPace(),),
    )
    return kopf.AiohttpSession(aiohttp_session=session, server=info.server)


class WatchPace:
    """kopf asks again at once when a watch ends, and so hundreds of times a second if every one ends at once.

    An API server does that when it shuts down, and some did it for a resource version that they no longer had.
    """

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if "watch" in request.url.query:
            path, now = request.url.path, asyncio.get_running_loop().time()
            start = max(now, self._next.get(path, now))
            self._next[path] = start + WATCH_PACE_SECONDS
            await asyncio.sleep(start - now)
        return await handler(request)
