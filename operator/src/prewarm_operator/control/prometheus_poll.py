"""Asks Prometheus for the load of all agents once a tick, and for those with a query of their own by that."""

import asyncio
import logging
import time
from collections.abc import Callable

from prewarm_operator import metrics
from prewarm_operator.signals.fleet import SOURCE, Fleet, invalid
from prewarm_operator.signals.prometheus import Prometheus
from prewarm_operator.signals.reading import Cause, Fault, Reading, Validity
from prewarm_operator.world.cache import Key

logger = logging.getLogger(__name__)

LEAD_SECONDS = 3.0
"""Asked so long before the tick, so that the tick has the answer."""

TOLD_AFTER = 2
"""Failures in a row of the one question for all: less is no news for every agent."""

NOT_ASKED = "has not been asked yet"
NOT_CONFIGURED = "cannot be asked: the operator has no Prometheus, set prometheus.url of its chart"


class PrometheusPoll:
    """The last answers. `on_news` is called with each agent of which something else may be known now.

    `clock` is monotonic, `wall_clock` the time of day, both in seconds. Where Prometheus is not configured, `run` is
    never called.
    """

    def __init__(
        self,
        on_news: Callable[[Key], None],
        *,
        configured: bool,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._on_news = on_news
        self._clock = clock
        self._wall_clock = wall_clock
        self._configured = configured
        self._queries: dict[Key, str | None] = {}
        self._fleet: Fleet | None = None
        self._failures = 0
        self._own: dict[Key, Reading] = {}

    def follow(self, agent: Key, query: str | None) -> None:
        """Ask about this agent too, by its own query if it has one."""
        if query != self._queries.get(agent):
            self._own.pop(agent, None)
        self._queries[agent] = query

    def forget(self, agent: Key) -> None:
        """Ask about it no longer."""
        self._queries.pop(agent, None)
        self._own.pop(agent, None)

    def has_own_query(self, agent: Key) -> bool:
        return self._queries.get(agent) is not None

    def reading(self, agent: Key, ready_pods: int, most: int) -> Reading | None:
        """What Prometheus says, None where it has nothing to say. The arguments are those of `Fleet.reading`."""
        if self.has_own_query(agent):
            problem = NOT_ASKED if self._configured else NOT_CONFIGURED
            return self._own.get(agent) or invalid(problem, Cause.QUERY, self._clock())
        if self._fleet is not None:
            return self._fleet.reading(agent, ready_pods, most)
        return Reading(0.0, self._clock(), SOURCE, Validity.INVALID, NOT_ASKED) if self._configured else None

    def fault(self, agent: Key) -> Fault | None:
        """What is wrong with the question about this agent, None if nothing is or it was not asked yet."""
        if self.has_own_query(agent):
            own = self.reading(agent, 0, 0)
            if own is None or own.cause is None or own.problem == NOT_ASKED:
                return None
            return Fault(own.cause, f"{own.source} {own.problem}")
        fleet = self._fleet
        if fleet is None or fleet.cause is None or self._failures < TOLD_AFTER:
            return None
        return Fault(fleet.cause, f"{SOURCE} {fleet.problem}")

    async def run(self, client: Prometheus, tick_seconds: float) -> None:
        """Ask once a tick, until cancelled. One round ends before the next begins."""
        while True:
            try:
                await self.ask(client)
            except Exception:
                logger.exception("asking Prometheus crashed")  # what it said grows old
            await asyncio.sleep(tick_seconds - (self._wall_clock() + LEAD_SECONDS) % tick_seconds)

    async def ask(self, client: Prometheus) -> None:
        """One round. An answer counts when it is there, whatever the others do."""
        own = [self._ask_own(client, agent, query) for agent, query in self._queries.items() if query is not None]
        await asyncio.gather(self._ask_fleet(client), *own)

    async def _ask_fleet(self, client: Prometheus) -> None:
        if not self._queries:
            return
        fleet = await client.fleet()
        metrics.PROMETHEUS_QUESTIONS.labels("fleet", fleet.cause or "ok").inc()
        failed = fleet.cause is not None
        if failed != bool(self._failures):
            logger.log(logging.WARNING if failed else logging.INFO, "Prometheus %s", fleet.problem or "answers")
        self._failures = self._failures + 1 if failed else 0
        self._fleet = fleet
        for agent in tuple(self._queries):
            self._on_news(agent)

    async def _ask_own(self, client: Prometheus, agent: Key, query: str) -> None:
        reading = await client.own_query(query)
        metrics.PROMETHEUS_QUESTIONS.labels("own_query", reading.cause or "ok").inc()
        if self._queries.get(agent) == query:
            self._own[agent] = reading
            self._on_news(agent)
