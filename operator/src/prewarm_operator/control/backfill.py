"""Replays what Prometheus knows of the past into the forecast: at start, and for each agent that is new to it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping

from prewarm_operator import metrics
from prewarm_operator.control.forecaster import Forecaster, Replay
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.signals.prometheus import History, Prometheus
from prewarm_operator.signals.reading import Cause
from prewarm_operator.world.cache import Key

logger = logging.getLogger(__name__)

BACK_SECONDS = 26 * 3600.0
"""A day, for the shape of it, and what its ends need. 1,000 agents cost about a minute of CPU, one agent 4 s."""

CHUNK_SECONDS = 3600.0
SETTLE_SECONDS = 1.0
"""Agents that are found together are replayed together."""

RETRY_SECONDS = 60.0

Loads = dict[Key, tuple[float, ...]]


class Unanswered(Exception):
    """The past cannot be had now; the message is a clause about Prometheus."""


class Backfill:
    """Agents that wait for their past. `wall_clock` is the time of day, in seconds."""

    def __init__(self, forecaster: Forecaster, wall_clock: Callable[[], float] = time.time) -> None:
        self._forecaster = forecaster
        self._wall_clock = wall_clock
        self._waiting: dict[Key, str | None] = {}
        self._known: dict[Key, str | None] = {}
        self._news = asyncio.Event()

    def follow(self, agent: Key, query: str | None) -> None:
        """Get the past of this agent, by its own query if it has one, unless that was done already."""
        if agent not in self._known or self._known[agent] != query:
            self._known[agent] = self._waiting[agent] = query
            self._news.set()

    def forget(self, agent: Key) -> None:
        """Its past is no concern any more."""
        self._known.pop(agent, None)
        self._waiting.pop(agent, None)

    async def run(self, client: Prometheus) -> None:
        """Fill in whoever waits, until cancelled. While Prometheus cannot be asked they go on waiting."""
        while True:
            await self._news.wait()
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                await self.fill(client)
            except Unanswered as problem:
                logger.warning("no history yet retry_seconds=%.0f error=Prometheus %s", RETRY_SECONDS, problem)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                logger.exception("replaying history crashed")  # these learn from the load that comes
                self._done(self._waiting)

    async def fill(self, client: Prometheus) -> None:
        """Replay the past of all who wait.

        Raises:
            Unanswered: Prometheus has failed; nobody's forecast has changed.
        """
        agents = dict(self._waiting)
        asked = dict(agents)
        at = self._wall_clock() // TICK_SECONDS * TICK_SECONDS - BACK_SECONDS
        replay = self._forecaster.replay(agents, at)
        while asked and at <= self._wall_clock():
            end = min(at + CHUNK_SECONDS - TICK_SECONDS, self._wall_clock())
            times, loads = await _past(client, asked, at, end)
            await _replay(replay, times, loads)
            at = times[-1] + TICK_SECONDS
        filled = self._forecaster.adopt(replay)
        logger.info("history replayed agents=%d of=%d", filled, len(agents))
        self._done(agents)

    def _done(self, agents: Mapping[Key, str | None]) -> None:
        for agent, query in tuple(agents.items()):
            if self._waiting.get(agent, ...) == query:
                del self._waiting[agent]
        if not self._waiting:
            self._news.clear()


async def _past(
    client: Prometheus, asked: dict[Key, str | None], begin: float, end: float
) -> tuple[tuple[float, ...], Loads]:
    """Up to an hour of loads. An own query that fails leaves a gap in its own agent's past alone.

    One that hangs, or over which the server breaks down, is taken out of `asked`: it would keep all others waiting,
    hour after hour.
    """
    others = [agent for agent, query in asked.items() if query is None]
    own = {agent: query for agent, query in asked.items() if query is not None}
    questions = [client.fleet_history(begin, end, TICK_SECONDS, others)] if others else []
    questions += [client.own_history(agent, query, begin, end, TICK_SECONDS) for agent, query in own.items()]
    hours = await asyncio.gather(*(_hour(question) for question in questions))
    for hour in hours:
        metrics.PROMETHEUS_QUESTIONS.labels("history", hour.cause or "ok").inc()
    if hours[0].problem if others else all(hour.cause is Cause.UNAVAILABLE for hour in hours):
        raise Unanswered(hours[0].problem)
    loads: Loads = {}
    if others:
        everybody = hours[0].loads
        loads = {agent: everybody[agent] for agent in others if agent in everybody}
    for agent, hour in zip(own, hours[len(questions) - len(own) :], strict=True):
        loads |= {Key(*told): values for told, values in hour.loads.items()}
        if hour.cause in (Cause.UNAVAILABLE, Cause.SLOW):
            del asked[agent]
    return hours[0].epoch_seconds, loads


async def _hour(history: AsyncIterator[History]) -> History:
    (hour,) = [part async for part in history]
    return hour


async def _replay(replay: Replay, times: tuple[float, ...], loads: Loads) -> None:
    for number, at in enumerate(times):
        replay.step(at, {agent: values[number] for agent, values in loads.items()})
        await asyncio.sleep(0)  # a step of 1,000 agents takes 10 ms, and the loop has all else to do
