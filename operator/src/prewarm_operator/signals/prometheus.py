"""Asks Prometheus. No failure of it reaches the caller as an exception: it is a reading that says what is wrong."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass

import aiohttp

from prewarm_operator.signals import promql
from prewarm_operator.signals.answer import NUMBERS, RANGES, Answer, BadAnswer, Series, read, why_no_load
from prewarm_operator.signals.fleet import Fleet, Key, fleet, invalid, own_reading, several_series
from prewarm_operator.signals.reading import Cause, Reading
from prewarm_operator.signals.server import Server

MAX_BYTES = 32 * 2**20
"""Of one answer about all agents: for 1,000 of them it is 1 MB, an hour of their history at 15 s is 7."""

MAX_OWN_BYTES = 2**20
"""Of one answer to an own query, which is to be one number: whoever asks for all series does not hold up everybody."""

AT_ONCE = 16
HISTORY_AT_ONCE = 3
"""Questions under way; together below the 20 queries that Prometheus runs at once by default."""

HISTORY_TIMEOUT_SECONDS = 30.0
CHUNK_SECONDS = 3600.0
"""Of history in one answer: a day of a large fleet at once would hold up everything while it is parsed."""


@dataclass(frozen=True, slots=True)
class History:
    """Loads on a grid of time.

    Attributes:
        epoch_seconds: the times, `step` apart; each is that of the end of its bin.
        loads: as many values as times, by agent; NaN where nothing was known.
        problem: why nothing could be had for these times, empty if it could.
        cause: the same as a word, None if it could.
    """

    epoch_seconds: tuple[float, ...]
    loads: Mapping[Key, tuple[float, ...]]
    problem: str = ""
    cause: Cause | None = None


class Prometheus:
    """One server. Make it, use it and close it in one running loop."""

    def __init__(
        self,
        server: Server,
        clock: Callable[[], float] = time.monotonic,
        epoch_clock: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._clock = clock
        self._epoch_clock = epoch_clock
        self._under_way = asyncio.Semaphore(AT_ONCE)
        self._history_under_way = asyncio.Semaphore(HISTORY_AT_ONCE)
        # Tokens go to the address that was configured and nowhere else: no redirects, no proxy, no cookies.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=AT_ONCE + HISTORY_AT_ONCE),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "Cache-Control": "no-cache"},
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        )

    async def fleet(self) -> Fleet:
        """The load of all agents now, by one question."""
        at, epoch = self._clock(), self._epoch_clock()
        try:
            return fleet(await self._now(promql.FLEET, MAX_BYTES), at, epoch)
        except BadAnswer as error:
            return Fleet(at, problem=str(error), cause=error.cause)

    async def own_query(self, query: str) -> Reading:
        """The load that an agent's own query gives."""
        at, epoch = self._clock(), self._epoch_clock()
        try:
            return own_reading(await self._now(query, MAX_OWN_BYTES), at, epoch)
        except BadAnswer as error:
            return invalid(str(error), error.cause, at)

    async def fleet_history(
        self, begin_epoch: float, end_epoch: float, step_seconds: float, agents: Collection[Key] = ()
    ) -> AsyncIterator[History]:
        """The loads of all agents in the past, oldest hour first, on multiples of the step.

        Where few `agents` are named, of others hardly any. The bin under way at `end_epoch` is left out. An hour that
        cannot be had says why, and the next is asked for.
        """
        async for history in self._history(promql.history(agents), begin_epoch, end_epoch, step_seconds):
            yield history

    async def own_history(
        self, agent: Key, query: str, begin_epoch: float, end_epoch: float, step_seconds: float
    ) -> AsyncIterator[History]:
        """Like `fleet_history`, for one agent by its own query."""
        async for history in self._history(query, begin_epoch, end_epoch, step_seconds, agent):
            yield history

    async def close(self) -> None:
        await self._session.close()

    async def _history(
        self, query: str, begin_epoch: float, end_epoch: float, step_seconds: float, agent: Key | None = None
    ) -> AsyncIterator[History]:
        first, last = math.ceil(begin_epoch / step_seconds), math.floor(end_epoch / step_seconds)
        at_once = max(1, int(CHUNK_SECONDS / step_seconds))
        for start in range(first, last + 1, at_once):
            times = tuple(tick * step_seconds for tick in range(start, min(start + at_once, last + 1)))
            parameters = {"query": query, "start": f"{times[0]}", "end": f"{times[-1]}", "step": f"{step_seconds}"}
            try:
                status, body = await self._then(parameters, MAX_BYTES if agent is None else MAX_OWN_BYTES)
                # An hour of 1,000 agents takes half a second to read: not on the loop.
                yield History(times, await asyncio.to_thread(_history, status, body, times, step_seconds, agent))
            except BadAnswer as error:
                yield History(times, {}, str(error), error.cause)

    async def _now(self, query: str, most_bytes: int) -> Answer:
        """Raises BadAnswer: there is none, or none of use."""
        seconds = self._server.timeout_seconds
        try:
            async with asyncio.timeout(seconds), self._under_way:
                status, body = await self._ask("query", {"query": query}, seconds, most_bytes)
        except TimeoutError as error:
            raise _late(seconds) from error
        return read(status, body, NUMBERS)

    async def _then(self, parameters: Mapping[str, str], most_bytes: int) -> tuple[int, bytes]:
        """Raises BadAnswer: there is no answer. Whoever waits for the questions of others is not late."""
        try:
            async with self._history_under_way, asyncio.timeout(HISTORY_TIMEOUT_SECONDS):
                return await self._ask("query_range", parameters, HISTORY_TIMEOUT_SECONDS, most_bytes)
        except TimeoutError as error:
            raise _late(HISTORY_TIMEOUT_SECONDS) from error

    async def _ask(
        self, endpoint: str, parameters: Mapping[str, str], seconds: float, most_bytes: int
    ) -> tuple[int, bytes]:
        """Status and body of an answer. Raises BadAnswer: there is none."""
        url = self._server.url(endpoint).update_query({**parameters, "timeout": f"{seconds * 1000:.0f}ms"})
        try:
            headers, tls = self._server.request_headers(), self._server.ssl_context()
            async with self._session.get(url, headers=headers, ssl=tls, allow_redirects=False) as response:
                if 300 <= response.status < 400:
                    raise BadAnswer(f"answers {response.status}: give the address to which it redirects")
                return response.status, await _bounded(response.content, most_bytes)
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            words = str(error).replace(" ssl:default", "")  # aiohttp writes it for plain HTTP, too
            raise BadAnswer(f"cannot be asked: {words or type(error).__name__}", Cause.UNAVAILABLE) from error


def _late(seconds: float) -> BadAnswer:
    return BadAnswer(f"gives no answer within {seconds:g} s", Cause.SLOW)


async def _bounded(content: aiohttp.StreamReader, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            raise BadAnswer(f"answers with more than {most_bytes // 2**20} MiB")
    return bytes(body)


def _history(
    status: int, body: bytes, times: tuple[float, ...], step_seconds: float, agent: Key | None
) -> Mapping[Key, tuple[float, ...]]:
    """Loads by agent, or those of one by its own query. Raises BadAnswer: it is none of use."""
    answer = read(status, body, RANGES)
    if agent is not None and len(answer.series) > 1:
        raise BadAnswer(several_series(len(answer.series)), Cause.QUERY)
    return {agent or _key(series): _on_grid(series, times, step_seconds) for series in answer.series}


def _key(series: Series) -> Key:
    return series.labels.get("namespace", ""), series.labels.get("agent", "")


def _on_grid(series: Series, times: tuple[float, ...], step_seconds: float) -> tuple[float, ...]:
    loads = [math.nan] * len(times)
    for at, value in series.points:
        index = (at - times[0]) / step_seconds
        if index == int(index) and 0 <= index < len(times) and not why_no_load(value):
            loads[int(index)] = value
    return tuple(loads)
