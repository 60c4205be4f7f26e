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
from typing import Any, Literal

import kopf

from prewarm_operator import metrics
from prewarm_operator.kube.resources import (
    AGENT_DEPLOYMENTS,
    AUTOSCALERS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    Resource,
)
from prewarm_operator.world.cache import EventType
from prewarm_operator.world.reader import PAGE_SIZE, SELECTORS

logger = logging.getLogger(__name__)

WATCHED = (AGENT_DEPLOYMENTS, DEPLOYMENTS, REPLICA_SETS, PODS, AUTOSCALERS)
RESTART_DELAY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before the first, second, ... restart in a row; the last one for all later ones. With jitter of a fifth."""
HEALTHY_AFTER_SECONDS = 120.0
"""A run of this length ends the row."""

INACTIVITY_SECONDS = 70.0
"""A watch that is silent for longer is dead: the API server sends a bookmark every minute."""
ERROR_BACKOFFS_SECONDS = (1.0, 2.0, 3.0, 5.0, 5.0, 5.0)
"""Between kopf's attempts of one request. A refusal that outlasts them ends the run; a lost connection does not."""

_IDENTITY: Any = socket.gethostname()
"""Only named in kopf's logs. Given, because kopf would else look up the user's name, and any UID has none."""

Sink = Callable[[Resource, EventType, Mapping[str, Any], float], None]
"""Takes a kind, the event's type, the object and the time of arrival (monotonic seconds)."""


class Watcher:
    """Runs kopf in a thread and calls `sink` on the loop that run() belongs to.

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
        self._stop = threading.Event()
        self._listed: dict[Resource, set[str]] = {}

    def watch_only(self, namespaces: tuple[str, ...]) -> None:
        """From now on watch these namespaces, or the whole cluster if there are none."""
        if namespaces != self._namespaces:
            self._namespaces = namespaces
            self._stop.set()

    async def run(self) -> None:
        """Watch until cancelled. Lists everything before each start, so that no deletion stays unnoticed."""
        row = 0
        try:
            while True:
                await self._relist()
                started = time.monotonic()
                if await self._watch() == "stopped":
                    continue
                row = 0 if time.monotonic() - started > HEALTHY_AFTER_SECONDS else row
                delay = RESTART_DELAY_SECONDS[min(row, len(RESTART_DELAY_SECONDS) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311
                row += 1
                metrics.WATCH_RESTARTS.inc()
                logger.warning("watches restart delay_seconds=%.1f", delay)
                await asyncio.sleep(delay)
        finally:
            self._stop.set()

    async def _watch(self) -> Literal["stopped", "failed"]:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self._stop = stop = threading.Event()
        self._listed.clear()

        def hand_over(resource: Resource, event: EventType, body: Mapping[str, Any]) -> None:
            loop.call_soon_threadsafe(self._receive, resource, event, body, time.monotonic())

        def main() -> None:
            try:
                asyncio.run(
                    kopf.operator(
                        registry=_registry(hand_over),
                        settings=_settings(self._inactivity_seconds),
                        clusterwide=not self._namespaces,
                        namespaces=self._namespaces,
                        standalone=True,
                        identity=_IDENTITY,
                        stop_flag=stop,
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
        return "stopped" if stop.is_set() else "failed"

    def _receive(self, resource: Resource, event: EventType, body: Mapping[str, Any], at: float) -> None:
        if event is None and self._is_listed_again(resource, body["metadata"]["uid"]):
            self._gap()
        self._sink(resource, event, body, at)

    def _is_listed_again(self, resource: Resource, uid: str) -> bool:
        """Whether `uid` begins another list of its kind within this run."""
        listed = self._listed.setdefault(resource, set())
        again = uid in listed
        if again:
            listed.clear()
        listed.add(uid)
        return again


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


def _settings(inactivity_seconds: float) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # we have a recorder that de-duplicates
    settings.scanning.disabled = True  # no list and watch of CRDs and namespaces, and no right to it
    settings.peering.standalone = True
    settings.watching.chunk_size = PAGE_SIZE
    settings.watching.inactivity_timeout = inactivity_seconds
    settings.networking.request_timeout = 30.0
    settings.networking.error_backoffs = ERROR_BACKOFFS_SECONDS
    settings.process.ultimate_exiting_timeout = None  # our process ends by itself
    for resource in WATCHED:
        if SELECTORS[resource]:
            settings.watching.label_selectors[resource.group, resource.version, resource.plural] = SELECTORS[resource]
    return settings
