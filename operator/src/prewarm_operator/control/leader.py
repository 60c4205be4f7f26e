"""Leader election: of all replicas one writes. The rules are those of client-go; the clock is our own.

The leader starts no write once its last renewal is `renew_deadline_seconds` old, and ends every write before it is
`duration_seconds` old. Others take over when they have not seen a renewal for `duration_seconds`. Both count on their
own clocks, which nobody sets: the leader from when it *sent* the renewal, the others from when they *saw* it, which is
later. So clocks need not agree, and a process that was paused finds its time run out when it wakes up.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from prewarm_operator.control.lease import Lease, first
from prewarm_operator.kube.errors import Conflict, KubeError, NotFound, NotLeading
from prewarm_operator.settings import LeaseTimes

logger = logging.getLogger(__name__)

Lead = Callable[[], Coroutine[None, None, None]]
"""What the leader does: started when a term begins, cancelled when it ends."""


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_time() -> float:
    """Seconds on a clock that nobody sets and that, on Linux, also counts while the machine is suspended."""
    return time.clock_gettime(_CLOCK)


class Lock(Protocol):
    """Where the Lease is kept; see LeaseLock."""

    async def get(self) -> Lease | None: ...
    async def create(self, lease: Lease) -> Lease: ...
    async def update(self, lease: Lease) -> Lease: ...


class Leadership(Protocol):
    """Who may write, and when."""

    def is_leading(self) -> bool:
        """Whether a write may start now."""

    def write_seconds(self) -> float:
        """How long a write that starts now may take; raises NotLeading where none may start."""

    def silent_seconds(self) -> float:
        """Since when the loop of run() has not turned: it never waits long, so more than a few seconds is a fault."""

    async def run(self, lead: Lead) -> None:
        """Take part in the election until cancelled."""

    async def release(self) -> None:
        """Let others lead at once. Only after run() has ended and when no write is under way. Never raises."""


class Unopposed:
    """The leadership of a process that is the only one."""

    def is_leading(self) -> bool:
        return True

    def write_seconds(self) -> float:
        return math.inf

    def silent_seconds(self) -> float:
        return 0.0

    async def run(self, lead: Lead) -> None:
        await lead()

    async def release(self) -> None:
        return


class LeaderElection:
    """Acquires and renews a Lease as `identity`, which no other process ever has. `clock` is in seconds, never set."""

    def __init__(self, lock: Lock, identity: str, times: LeaseTimes, clock: Callable[[], float] = boot_time) -> None:
        self._lock = lock
        self._identity = identity
        self._times = times
        self._clock = clock
        self._observed: Lease | None = None
        self._observed_at = -math.inf
        self._renewed_at = -math.inf
        self._turned_at: float | None = None
        self._term: asyncio.Future[Any] | None = None

    def is_leading(self) -> bool:
        return self._clock() < self._renewed_at + self._times.renew_deadline_seconds

    def write_seconds(self) -> float:
        if not self.is_leading():
            raise NotLeading("this replica is not the leader")
        return self._renewed_at + self._times.duration_seconds - self._clock()

    def silent_seconds(self) -> float:
        return 0.0 if self._turned_at is None else self._clock() - self._turned_at

    async def run(self, lead: Lead) -> None:
        logger.info("election starts identity=%s", self._identity)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._turned_at = self._clock()
                await self._end_lost_term()
                await self.turn()
                await self._end_lost_term()
                if self._term is None and self.is_leading():
                    logger.info("this replica leads identity=%s", self._identity)
                    self._term = tasks.create_task(lead())
                await asyncio.sleep(self._times.retry_seconds * random.uniform(1.0, 1.2))  # noqa: S311

    async def _end_lost_term(self) -> None:
        if self._term is not None and not self.is_leading():
            logger.warning("this replica leads no more identity=%s", self._identity)
            self._term.cancel()
            await asyncio.wait([self._term])
            self._term = None

    async def turn(self) -> None:
        """Try once to acquire or to renew: at most three calls. Never raises KubeError."""
        try:
            await self._acquire_or_renew()
        except KubeError as error:
            logger.warning("lease neither acquired nor renewed error=%s", error)

    async def _acquire_or_renew(self) -> None:
        if self._observed is not None and self._observed.holder == self._identity:
            try:
                return await self._hold(self._lock.update, self._observed.renewed(self._times.duration_seconds))
            except (Conflict, NotFound):
                pass  # a renewal whose answer was lost, or another leader: read on
        lease = await self._lock.get()
        self._observe(lease)
        duration = self._times.duration_seconds
        if lease is not None and lease.holder == self._identity:
            return await self._hold(self._lock.update, lease.renewed(duration))
        self._renewed_at = -math.inf
        await self._end_lost_term()
        # The holder has promised its own duration, which differs from ours while an upgrade changes it.
        free_at = self._observed_at + (duration if lease is None else lease.duration_seconds)
        if lease is None and self._clock() >= free_at:
            await self._hold(self._lock.create, first(self._identity, duration))
        elif lease is not None and (not lease.holder or self._clock() >= free_at):
            await self._hold(self._lock.update, lease.taken(self._identity, duration))
        return None

    async def _hold(self, write: Callable[[Lease], Awaitable[Lease]], lease: Lease) -> None:
        sent_at = self._clock()
        self._observe(await write(lease))
        self._renewed_at = sent_at

    def _observe(self, lease: Lease | None) -> None:
        """Note when a change was first seen. A Lease that somebody deleted is as one that was just renewed."""
        if lease != self._observed:
            self._observed, self._observed_at = lease, self._clock()

    async def release(self) -> None:
        self._renewed_at = -math.inf
        try:
            lease = await self._lock.get()
            if lease is not None and lease.holder == self._identity:
                await self._lock.update(lease.released())
        except KubeError as error:
            logger.warning("lease not released, others wait until it ends error=%s", error)
