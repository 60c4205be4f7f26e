"""Follows the load of many pods: `GET /load?watch=1` of each, for as long as the pod is there."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import aiohttp

from prewarm_operator.signals.pod_load import LONGEST_LINE_BYTES, SILENT_SECONDS, Heard, PodLoad, parse

logger = logging.getLogger(__name__)

Agent = TypeVar("Agent", bound=Hashable)

CONNECT_SECONDS = 5.0
PACE_SECONDS = 0.02
"""Between two lines of a pod. It sends no faster by itself; one that does is slowed down by its own full buffers."""
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Before the first, second, ... attempt in a row that follows a failure; the last one for all later ones."""
NO_STREAM_RETRY_SECONDS = 60.0
"""Before a server is asked again that has no /load: a foreign image."""


class NoStream(Exception):
    """The pod answers, but not with a stream of its load."""


class Streams(Generic[Agent]):
    """The last line of every pod that is followed. Belongs to the loop that it is first used on.

    `on_change` is called with the agent whenever a line has come or a pod is no longer heard. `clock` is monotonic, in
    seconds.
    """

    def __init__(self, on_change: Callable[[Agent], None], clock: Callable[[], float]) -> None:
        self._on_change = on_change
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._tasks: dict[Agent, dict[tuple[str, str], asyncio.Task[None]]] = {}
        self._heard: dict[Agent, dict[str, Heard]] = {}

    def follow(self, agent: Agent, pods: Mapping[str, str]) -> None:
        """Follow exactly these pods of an agent: base URLs, as http://10.0.0.1:8081, by uid."""
        running = self._tasks.setdefault(agent, {})
        wanted = set(pods.items())
        for pod in running.keys() - wanted:
            running.pop(pod).cancel()
            self._heard.get(agent, {}).pop(pod[0], None)
        for uid, url in wanted - running.keys():
            running[uid, url] = asyncio.get_running_loop().create_task(self._follow(agent, uid, url))

    def forget(self, agent: Agent) -> None:
        """Follow none of its pods any more."""
        self.follow(agent, {})
        del self._tasks[agent]
        self._heard.pop(agent, None)

    def heard(self, agent: Agent) -> Mapping[str, Heard]:
        """The last line of each pod by uid; a pod that was never heard is not in it."""
        return self._heard.get(agent, {})

    async def close(self) -> None:
        """End all streams."""
        tasks = [task for agent in tuple(self._tasks) for task in self._tasks[agent].values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _follow(self, agent: Agent, uid: str, url: str) -> None:
        failures = 0
        while True:
            try:
                async with self._open(url) as lines:
                    async for load in _loads(lines):
                        failures = 0
                        self._heard.setdefault(agent, {})[uid] = Heard(load, self._clock())
                        self._on_change(agent)
                        await asyncio.sleep(PACE_SECONDS)
                error: Exception | None = None
            except NoStream as refusal:
                error = refusal
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failure:
                error = failure
            if error is not None and not failures:
                logger.info("load stream broke off url=%s error=%s", url, str(error) or type(error).__name__)
            await asyncio.sleep(_pause_seconds(error, failures) * random.uniform(0.8, 1.2))  # noqa: S311
            failures += 1

    @asynccontextmanager
    async def _open(self, url: str) -> AsyncIterator[aiohttp.StreamReader]:
        if self._session is None:
            self._session = _session()
        async with asyncio.timeout(CONNECT_SECONDS):
            response = await self._session.get(f"{url}/load?watch=1", allow_redirects=False)
        try:
            if response.status != 200:
                raise NoStream(f"it answered with status {response.status}")
            yield response.content
        finally:
            response.close()


async def _loads(lines: aiohttp.StreamReader) -> AsyncIterator[PodLoad]:
    """The loads of a stream until it ends. Raises TimeoutError when it is silent, ValueError for what is no load."""
    while True:
        async with asyncio.timeout(SILENT_SECONDS):
            line = await lines.readline()
        if not line:
            return
        yield parse(line)


def _pause_seconds(error: Exception | None, failures: int) -> float:
    if isinstance(error, NoStream):
        return NO_STREAM_RETRY_SECONDS
    return RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]


def _session() -> aiohttp.ClientSession:
    """No limit of connections, for each pod keeps one; no proxy of the environment; a line is short."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=LONGEST_LINE_BYTES,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
