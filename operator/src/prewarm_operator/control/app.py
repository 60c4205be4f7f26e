"""Puts the operator together and runs it until it is told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import Mapping
from typing import Any

from prewarm_operator import metrics
from prewarm_operator.apply.events import Recorder
from prewarm_operator.apply.executor import Executor
from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.control import probes
from prewarm_operator.control.controller import Controller
from prewarm_operator.control.queue import WorkQueue
from prewarm_operator.control.watcher import Watcher
from prewarm_operator.control.workers import work
from prewarm_operator.kube.client import Client, connect
from prewarm_operator.kube.errors import KubeError
from prewarm_operator.kube.resources import Resource
from prewarm_operator.settings import RESYNC_SECONDS, WORKERS, Settings
from prewarm_operator.world.cache import Cache, EventType
from prewarm_operator.world.reader import Reader
from prewarm_operator.world.world import World

logger = logging.getLogger(__name__)

LIST_RETRY_SECONDS = 2.0


class App:
    """Wires watches, world, queue, controller and writes over one client."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._world = World(Cache(), settings.agent_image)
        self._reader = Reader(client, self._world.cache)
        self._queue = WorkQueue()
        gateway = Gateway(client)
        executor = Executor(gateway, self._reader, self._world.cache)
        self._controller = Controller(self._world, executor, gateway, Recorder(gateway, time.monotonic))
        self._watcher = Watcher(self._observe, self._list_until_done)
        self._listed = False

    async def run(self, stop: asyncio.Event, port: int) -> None:
        """Run until `stop` is set, with probes and metrics on `port`."""
        async with probes.serve(port, lambda: self._listed), asyncio.TaskGroup() as tasks:
            loops = [
                tasks.create_task(self._watcher.run()),
                tasks.create_task(self._resync()),
                *(tasks.create_task(work(self._queue, self._controller.reconcile)) for _ in range(WORKERS)),
            ]
            await stop.wait()
            for loop in loops:
                loop.cancel()

    def _observe(self, resource: Resource, event: EventType, body: Mapping[str, Any], at: float) -> None:
        agent = self._world.observe(resource, event, body, at)
        if agent is not None:
            self._queue.add(agent)
            metrics.QUEUE_DEPTH.set(len(self._queue))

    async def _list_until_done(self) -> None:
        """List everything, however long the API server is away, then look at every agent."""
        while True:
            try:
                await self._list()
            except KubeError as error:
                logger.warning("listing failed retry_seconds=%.0f error=%s", LIST_RETRY_SECONDS, error)
                await asyncio.sleep(LIST_RETRY_SECONDS)
            else:
                return

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            try:
                await self._list()
            except KubeError as error:
                logger.warning("resync failed error=%s", error)

    async def _list(self) -> None:
        touched = await self._reader.read_all()
        self._listed = True
        for key in touched | self._world.agents():
            self._queue.add(key)


async def run(settings: Settings, port: int) -> None:
    """Run the operator until SIGTERM or SIGINT, with probes and metrics on `port`.

    Raises:
        KubeError: there is no way to an API server at all.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with connect() as client:
        logger.info("operator starts agent_image=%s", settings.agent_image)
        await App(client, settings).run(stop, port)
        logger.info("operator stops")
