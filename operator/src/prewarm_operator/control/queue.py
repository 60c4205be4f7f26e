"""A queue of keys: each at most once in it, each at most once in work, failures later and later."""

import asyncio
import random
from collections import deque
from collections.abc import Callable

from prewarm_operator.world.cache import Key

BACKOFF_BASE_SECONDS = 0.2
BACKOFF_LIMIT_SECONDS = 60.0


class WorkQueue:
    """The queue of controller-runtime in small: a thousand marks while a key is in work lead to one more turn.

    Belongs to one event loop. `jitter` returns a factor around 1, so that keys which failed together part ways.
    """

    def __init__(self, jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2)) -> None:  # noqa: S311
        self._jitter = jitter
        self._waiting: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._in_work: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._not_before: dict[Key, float] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()
        self._shut_down = False
        self._drained = asyncio.Event()

    def __len__(self) -> int:
        """Keys that wait for a worker or for the end of their current turn."""
        return len(self._dirty)

    def add(self, key: Key) -> None:
        """Mark a key: it gets a turn as soon as a worker is free and its present turn, if any, has ended.

        Only what the API server asked for with Retry-After is waited for before that.
        """
        if key in self._dirty:
            return
        wait = self._not_before.get(key, 0.0) - asyncio.get_running_loop().time()
        if wait > 0:
            self.add_after(key, wait)
            return
        self._not_before.pop(key, None)
        self._dirty.add(key)
        if key not in self._in_work:
            self._offer(key)

    def add_after(self, key: Key, delay_seconds: float) -> None:
        """Mark a key later. Of several delays the one that ends first counts."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + delay_seconds:
                return
            timer.cancel()
        self._timers[key] = loop.call_later(delay_seconds, self._due, key)

    def add_failed(self, key: Key, at_least_seconds: float = 0.0) -> float:
        """Mark a key whose turn failed, after a delay that doubles with each failure. Returns the delay in seconds.

        `at_least_seconds` is what the API server asked for with Retry-After.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = min(BACKOFF_LIMIT_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures, 16)) * self._jitter()
        if at_least_seconds > 0:
            self._not_before[key] = asyncio.get_running_loop().time() + at_least_seconds
            self._dirty.discard(key)  # marked during this turn
            delay = max(delay, at_least_seconds)
        self.add_after(key, delay)
        return delay

    def forget_failures(self, key: Key) -> None:
        """A turn went well: the next failure starts from the shortest delay."""
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """Wait for a key, after a shut-down for ever, and take it into work. Every get() is followed by done()."""
        while not self._waiting or self._shut_down:
            self._wake.clear()
            await self._wake.wait()
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._in_work.add(key)
        return key

    def done(self, key: Key) -> None:
        """End a key's turn. If it was marked meanwhile, it gets another one."""
        self._in_work.discard(key)
        if key in self._dirty:
            self._offer(key)
        if not self._in_work:
            self._drained.set()

    async def shut_down_with_drain(self) -> None:
        """Hand out no more keys, and return when those in work are done."""
        self._shut_down = True
        if self._in_work:
            self._drained.clear()
            await self._drained.wait()

    def _offer(self, key: Key) -> None:
        self._waiting.append(key)
        self._wake.set()

    def _due(self, key: Key) -> None:
        del self._timers[key]
        self.add(key)
