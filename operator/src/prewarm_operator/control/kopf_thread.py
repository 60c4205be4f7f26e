"""One run of kopf in a thread and a loop of its own: it watches, and hands every event over.

kopf cancels every task of its loop when it ends and waits for them: for ever, if one of them swallows the cancellation,
as a watch does that waits for a new session. So we start its tasks ourselves, say that the run is over as soon as one
of them ends, and clean up afterwards with a bound.
"""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import kopf

from prewarm_operator.control.login import login
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
INACTIVITY_SECONDS = 70.0
"""A watch that is silent for longer is dead: the API server sends a bookmark every minute."""
ERROR_BACKOFFS_SECONDS = (1.0, 2.0, 3.0, 5.0, 5.0, 5.0)
"""Between kopf's attempts of one request. A refusal that outlasts them ends the run; a lost connection does not."""
CANCELLATIONS = 3

_IDENTITY: Any = socket.gethostname()
"""Only named in kopf's logs. Given, because kopf would else look up the user's name, and any UID has none."""

Sink = Callable[[Resource, EventType, Mapping[str, Any], float], None]
"""Takes a kind, the event's type, the object and the time of arrival (monotonic seconds)."""


class KopfThread:
    """Watches `namespaces`, or the whole cluster if there are none. Serves for one run()."""

    def __init__(self, namespaces: tuple[str, ...], inactivity_seconds: float) -> None:
        self._namespaces = namespaces
        self._inactivity_seconds = inactivity_seconds
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()

    async def run(self, sink: Sink) -> None:
        """Call `sink` on this loop for every event, until kopf fails or stop() is called."""
        here = asyncio.get_running_loop()
        ended = asyncio.Event()

        def hand_over(resource: Resource, event: EventType, body: Mapping[str, Any]) -> None:
            with contextlib.suppress(RuntimeError):  # our loop is closed: the process ends
                here.call_soon_threadsafe(sink, resource, event, body, time.monotonic())

        def main() -> None:
            try:
                self._loop.run_until_complete(self._watch(hand_over))
                logger.info("watches ended")
            except Exception as error:  # kopf raises what it likes, and has logged the traceback
                logger.error("watches failed error=%s", error)
            finally:
                with contextlib.suppress(RuntimeError):
                    here.call_soon_threadsafe(ended.set)
                self._loop.run_until_complete(_cancel_all())
                self._loop.close()

        threading.Thread(target=main, name="kopf", daemon=True).start()
        try:
            await ended.wait()
        finally:
            self.stop()

    def stop(self) -> None:
        """End the run, from any thread."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _watch(self, hand_over: Callable[[Resource, EventType, Mapping[str, Any]], None]) -> None:
        tasks = await kopf.spawn_tasks(
            registry=_registry(hand_over),
            settings=_settings(self._inactivity_seconds),
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            standalone=True,
            identity=_IDENTITY,
        )
        stop = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({stop, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _cancel_all() -> None:
    for _ in range(CANCELLATIONS):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)


def _registry(hand_over: Callable[[Resource, EventType, Mapping[str, Any]], None]) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(login)

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
