"""Keeps kopf watching. Since 1.45.2 it ends on any watch error but 410; then it is started anew, after a delay."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prewarm_operator import metrics
from prewarm_operator.control.kopf_thread import INACTIVITY_SECONDS, KopfThread, Sink
from prewarm_operator.kube.resources import Resource
from prewarm_operator.world.cache import EventType

logger = logging.getLogger(__name__)

RESTART_DELAY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before the first, second, ... restart in a row; the last one for all later ones. With jitter of a fifth."""
HEALTHY_AFTER_SECONDS = 120.0
"""A run of this length ends the row."""


class Watcher:
    """Calls `sink` for every watch event, on the loop that run() belongs to.

    `relist` lists everything before each start. `gap` is called when kopf has listed a kind again within a run, because
    the API server no longer had the events in between: kopf does not report what was deleted meanwhile.
    """

    def __init__(
        self,
        sink: Sink,
        relist: Callable[[], Awaitable[None]],
        gap: Callable[[], None],
        inactivity_seconds: float = INACTIVITY_SECONDS,
    ) -> None:
        self._sink = sink
        self._relist = relist
        self._gap = gap
        self._inactivity_seconds = inactivity_seconds
        self._namespaces: tuple[str, ...] = ()
        self._kopf: KopfThread | None = None
        self._seen: dict[Resource, set[str]] = {}

    def watch_only(self, namespaces: tuple[str, ...]) -> None:
        """From now on watch these namespaces, or the whole cluster if there are none."""
        if namespaces != self._namespaces:
            self._namespaces = namespaces
            if self._kopf is not None:
                self._kopf.stop()

    async def run(self) -> None:
        """Watch until cancelled."""
        row = 0
        while True:
            await self._relist()
            started, watched = time.monotonic(), self._namespaces
            self._seen.clear()
            self._kopf = KopfThread(watched, self._inactivity_seconds)
            await self._kopf.run(self._receive)
            if watched != self._namespaces:
                continue
            row = 0 if time.monotonic() - started > HEALTHY_AFTER_SECONDS else row
            delay = RESTART_DELAY_SECONDS[min(row, len(RESTART_DELAY_SECONDS) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311
            row += 1
            metrics.WATCH_RESTARTS.inc()
            logger.warning("watches restart delay_seconds=%.1f", delay)
            await asyncio.sleep(delay)

    def _receive(self, resource: Resource, event: EventType, body: Mapping[str, Any], at: float) -> None:
        seen = self._seen.setdefault(resource, set())
        uid = body["metadata"]["uid"]
        if event is None and uid in seen:
            self._gap()
        if event == "DELETED":
            seen.discard(uid)
        else:
            seen.add(uid)
        self._sink(resource, event, body, at)
