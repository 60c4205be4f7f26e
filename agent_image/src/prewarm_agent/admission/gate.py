"""How many requests run at a time, and how many may wait for a place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prewarm_agent.admission.load import Load

# A request that waited this long is better off at another pod, which is where a retry may go.
QUEUE_WAIT_SECONDS = 5.0
# A queue of a quarter of the limit takes up a burst; what is longer only makes everyone wait longer.
QUEUE_SHARE = 0.25
# Above this share of the limit the pod sends its clients to look for another one (design: targetConcurrency).
TARGET_SHARE = 0.7


class Refused(Exception):
    """There is no place, and none was free soon enough. The answer is 429."""


class Gate:
    """Admits `limit` requests at a time, first come, first served; tells `load` of those inside and those waiting."""

    def __init__(self, limit: int, load: Load, *, queue_wait_seconds: float = QUEUE_WAIT_SECONDS) -> None:
        self.target = limit * TARGET_SHARE
        self.load = load
        self._queue_wait_seconds = queue_wait_seconds
        self._places = asyncio.Semaphore(limit)
        load.limit, load.queue_limit = limit, max(1, int(limit * QUEUE_SHARE))
        load.changed()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Holds a place. Raises Refused when the queue is full or the wait was too long."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        self.load.in_flight += 1
        self.load.changed()
        try:
            yield
        finally:
            self.load.in_flight -= 1
            self._places.release()
            self.load.changed()

    async def _wait(self) -> None:
        if self.load.queued >= self.load.queue_limit:
            self.load.refused()
            raise Refused
        self.load.queued += 1
        self.load.changed()
        try:
            async with asyncio.timeout(self._queue_wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            self.load.refused()
            raise Refused from None
        finally:
            self.load.queued -= 1
            self.load.changed()
