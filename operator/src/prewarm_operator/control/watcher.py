"""kopf watches; we listen. Its handlers only hand events over and write nothing.

kopf gets a thread and a loop of its own: it cancels every task of its loop when it ends, and since 1.45.2 it ends on
any watch error but 410. Then it is started anew, after a delay, and everything is listed again.
"""

import asyncio
import logging
import random
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import kopf

from prewarm_operator import metrics
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, DEPLOYMENTS, PODS, Resource
from prewarm_operator.world.cache import EventType
from prewarm_operator.world.reader import PAGE_SIZE, SELECTORS

logger = logging.getLogger(__name__)

WATCHED = (AGENT_DEPLOYMENTS, DEPLOYMENTS, PODS)
RESTART_DELAY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before the first, second, ... restart in a row; the last one for all later ones. With jitter of a fifth."""
HEALTHY_AFTER_SECONDS = 120.0
"""A run of this length ends the row."""

_IDENTITY: Any = socket.gethostname()
"""Only named in kopf's logs. Given, because kopf would else look up the user's name, and any UID has none."""

Sink = Callable[[Resource, EventType, Mapping[str, Any], float], None]
"""Takes a kind, the event's type, the object and the time of arrival (monotonic seconds)."""


class Watcher:
    """Runs kopf in a thread and calls `sink` on the loop that run() belongs to."""

    def __init__(self, sink: Sink, relist: Callable[[], Awaitable[None]]) -> None:
        self._sink = sink
        self._relist = relist
        self._stop = threading.Event()

    async def run(self) -> None:
        """Watch until cancelled. Lists everything before each start, so that no deletion stays unnoticed."""
        row = 0
        try:
            while True:
                await self._relist()
                started = time.monotonic()
                await self._watch_until_failure()
                row = 0 if time.monotonic() - started > HEALTHY_AFTER_SECONDS else row
                delay = RESTART_DELAY_SECONDS[min(row, len(RESTART_DELAY_SECONDS) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311
                row += 1
                metrics.WATCH_RESTARTS.inc()
                logger.warning("watches restart delay_seconds=%.1f", delay)
                await asyncio.sleep(delay)
        finally:
            self._stop.set()

    async def _watch_until_failure(self) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def hand_over(resource: Resource, event: EventType, body: Mapping[str, Any]) -> None:
            loop.call_soon_threadsafe(self._sink, resource, event, body, time.monotonic())

        def main() -> None:
            try:
                asyncio.run(
                    kopf.operator(
                        registry=_registry(hand_over),
                        settings=_settings(),
                        clusterwide=True,
                        standalone=True,
                        identity=_IDENTITY,
                        stop_flag=self._stop,
                    )
                )
                logger.info("watches ended")
            except Exception:
                logger.exception("watches failed")
            finally:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=main, name="kopf", daemon=True).start()
        await ended.wait()


def _registry(hand_over: Callable[[Resource, EventType, Mapping[str, Any]], None]) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_via_client(**kwargs)

    def listen(resource: Resource) -> None:
        @kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=resource.plural)
        async def changed(event: kopf.RawEvent, **_: Any) -> None:
            hand_over(resource, event["type"], event["object"])  # type: ignore[arg-type] # kopf passes these types on

    for resource in WATCHED:
        listen(resource)
    return registry


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # we have a recorder that de-duplicates
    settings.scanning.disabled = True  # no list and watch of CRDs and namespaces, and no right to it
    settings.peering.standalone = True
    settings.watching.chunk_size = PAGE_SIZE
    settings.networking.request_timeout = 30.0
    settings.process.ultimate_exiting_timeout = None  # our process ends by itself
    for resource in WATCHED:
        if SELECTORS[resource]:
            settings.watching.label_selectors[resource.group, resource.version, resource.plural] = SELECTORS[resource]
    return settings
