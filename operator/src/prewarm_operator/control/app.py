"""Puts the operator together and runs it until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from prewarm_operator import metrics
from prewarm_operator.apply.events import Recorder
from prewarm_operator.apply.executor import Executor
from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.control import probes
from prewarm_operator.control.controller import Controller
from prewarm_operator.control.leader import LeaderElection, Leadership, Unopposed
from prewarm_operator.control.lease import LeaseLock
from prewarm_operator.control.liveness import Liveness
from prewarm_operator.control.memory import Memory
from prewarm_operator.control.queue import WorkQueue
from prewarm_operator.control.scaler import Scaler
from prewarm_operator.control.watcher import Watcher
from prewarm_operator.control.workers import work
from prewarm_operator.kube.client import Client, connect
from prewarm_operator.kube.errors import KubeError, Refused
from prewarm_operator.kube.resources import Resource
from prewarm_operator.settings import DRAIN_SECONDS, WORKERS, Settings
from prewarm_operator.world.cache import Cache, EventType
from prewarm_operator.world.reader import Reader
from prewarm_operator.world.world import World

logger = logging.getLogger(__name__)

LIST_RETRY_SECONDS = 2.0


class App:
    """Wires watches, world, queue, controller and writes over one client.

    Every replica watches, lists and measures, so that it can take over at once; reconciles only run on the leader.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._world = World(Cache(), settings.agent_image, node_headroom=settings.node_headroom)
        with_buffers = settings.node_headroom.may_use_buffers
        self._reader = Reader(client, self._world.cache, settings.watch_namespaces, with_buffers=with_buffers)
        self._queue = WorkQueue()
        self._leadership = _leadership(client, settings)
        gateway = Gateway(client, self._leadership.write_seconds)
        executor = Executor(gateway, self._reader, self._world)
        self._controller = Controller(self._world, executor, gateway, Recorder(gateway, time.monotonic))
        self._resync_seconds = settings.resync_seconds
        self._resync_due = asyncio.Event()
        self._watcher = Watcher(self._observe, self._list_before_watching, self._watch_had_a_gap)
        self._scaler = Scaler(self._world, self._queue.add_after, prometheus=settings.prometheus)
        self._memory = Memory(client, gateway, settings.namespace, self._scaler.forecaster)
        self._liveness = Liveness(self._leadership.silent_seconds)
        self._listed = asyncio.Event()
        metrics.LEADER.set_function(self._leadership.is_leading)
        metrics.QUEUE_DEPTH.set_function(partial(len, self._queue))
        for status in ("True", "False", "Unknown"):
            metrics.AGENT_DEPLOYMENTS.labels(status).set_function(partial(self._world.count_agents, status))

    async def run(self, stop: asyncio.Event, port: int) -> None:
        """Run until `stop` is set, with probes and metrics on `port`."""
        async with probes.serve(port, self._liveness.fault, self._listed.is_set), asyncio.TaskGroup() as tasks:
            loops = (
                self._liveness.run(),
                self._watcher.run(),
                self._resync(),
                self._scaler.run(),
                self._recall(),
                self._take_part(),
            )
            running = [tasks.create_task(loop) for loop in loops]
            await stop.wait()
            drained = await self._drain()
            for task in running:
                task.cancel()
        if drained:  # else a write may be under way, and the Lease must run out
            await self._leadership.release()

    async def _drain(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._queue.shut_down_with_drain()
                return True
        logger.warning("reconciles are broken off drain_seconds=%.0f", DRAIN_SECONDS)
        return False

    async def _recall(self) -> None:
        """Once all agents are known: what was kept of others is not taken up."""
        await self._listed.wait()
        await self._memory.recall()

    async def _take_part(self) -> None:
        """A replica that cannot list does not stand for election."""
        await self._listed.wait()
        await self._leadership.run(self._lead)

    async def _lead(self) -> None:
        """One term. It begins with a listing: the leader before wrote to kinds that are not watched."""
        self._world.scaling.begin_anew()
        await self._list_until_done()
        async with asyncio.TaskGroup() as workers:
            workers.create_task(self._memory.keep())
            for _ in range(WORKERS):
                workers.create_task(work(self._queue, self._controller.reconcile))

    def _observe(self, resource: Resource, event: EventType, body: Mapping[str, Any], at: float) -> None:
        agent = self._world.observe(resource, event, body, at)
        if agent is not None:
            self._scaler.look(agent)
            self._queue.add(agent)

    async def _list_before_watching(self) -> None:
        self._world.watches_had_a_gap()
        await self._list_until_done()

    def _watch_had_a_gap(self) -> None:
        self._world.watches_had_a_gap()
        self._resync_due.set()

    async def _resync(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._resync_seconds):
                    await self._resync_due.wait()
            self._resync_due.clear()
            await self._list_until_done()

    async def _list_until_done(self) -> None:
        """List everything, however long the API server is away, then look at every agent."""
        while True:
            try:
                touched = await self._reader.read_all()
            except KubeError as error:
                asked_for = error.retry_after_seconds if isinstance(error, Refused) else None
                delay = max(LIST_RETRY_SECONDS, asked_for or 0.0)
                logger.warning("listing failed retry_seconds=%.0f error=%s", delay, error)
                await asyncio.sleep(delay)
            else:
                break
        self._listed.set()
        self._world.listed_at = self._reader.listed_at
        self._world.buffers_served = self._reader.buffers_served
        metrics.LAST_RESYNC.set(self._world.listed_at)
        self._watcher.watch_only(self._reader.readable)
        for key in touched | self._world.agents():
            self._scaler.look(key)
            self._queue.add(key)


def _leadership(client: Client, settings: Settings) -> Leadership:
    if not settings.namespace:
        return Unopposed()
    lock = LeaseLock(client, settings.namespace, timeout_seconds=settings.lease.retry_seconds)
    # A restarted container is another process: it must not take the Lease of its predecessor for its own.
    return LeaderElection(lock, f"{settings.pod_name}_{uuid.uuid4()}", settings.lease)


async def run(settings: Settings, port: int) -> None:
    """Run the operator until SIGTERM or SIGINT, with probes and metrics on `port`.

    Raises:
        KubeError: there is no way to an API server at all.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with connect(f"prewarm-operator ({settings.pod_name})") as client:
        logger.info("operator starts agent_image=%s", settings.agent_image)
        await App(client, settings).run(stop, port)
        logger.info("operator stops")
