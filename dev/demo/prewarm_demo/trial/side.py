"""One side of an act: a way to serve an agent, put under load while its pods are scaled, rolled and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prewarm_demo.cluster.api import Api
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import Pod, PodObserver
from prewarm_demo.load.records import Record
from prewarm_demo.narrator import Narrator
from prewarm_demo.trial.load_pod import LoadPlan, LoadPod

# The baseline that the events are judged by; a little more than the 30 s that the summary looks at.
BASELINE_SECONDS = 31.0
BETWEEN_EVENTS_SECONDS = 2.0


@dataclass(frozen=True)
class Event:
    """Something that happens to a side's pods. `perform` returns when it is over: all pods wanted are Ready again."""

    name: str
    perform: Callable[[Sequence[Pod]], Awaitable[None]]


@dataclass(frozen=True)
class Side:
    """A way to serve an agent. `start` returns when its first pods are Ready."""

    name: str
    slug: str
    url: str
    selector: str
    start: Callable[[], Awaitable[None]]
    events: Sequence[Event]


@dataclass(frozen=True)
class EventTimes:
    """When an event began and how long it took, by the load's clock; not `under_load` if the load was over first."""

    name: str
    began_seconds: float
    took_seconds: float
    under_load: bool


@dataclass
class SideRun:
    """Everything measured on one side."""

    records: list[Record] = field(default_factory=list)
    events: list[EventTimes] = field(default_factory=list)
    load_cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Trial:
    """What a trial needs of its surroundings."""

    api: Api
    commands: Commands
    narrator: Narrator
    namespace: str


@asynccontextmanager
async def beside(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `jobs` beside the body and cancel them after it. A job that fails ends the body with its error."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()


async def run_side(trial: Trial, side: Side, plan: LoadPlan, pods: PodObserver) -> SideRun:
    """Put `plan` on a side that runs, let its events happen one after the other, and return when the load is over."""
    load = LoadPod(trial.commands, trial.namespace, f"load-{side.slug}")
    await load.start(plan, side.url)
    run = SideRun()

    async def happen() -> None:
        await load.until(BASELINE_SECONDS)
        for event in side.events:
            trial.narrator.heading(f"{side.name}: {event.name}")
            began_seconds = load.elapsed_seconds()
            await event.perform(pods.serving)
            took_seconds = load.elapsed_seconds() - began_seconds
            run.events.append(EventTimes(event.name, began_seconds, took_seconds, not load.over))
            await asyncio.sleep(BETWEEN_EVENTS_SECONDS)

    async with beside(load.show(trial.narrator, side.name, pods)), asyncio.TaskGroup() as group:
        group.create_task(load.follow())
        group.create_task(happen())
    trial.narrator.end_live()
    run.records = load.records
    run.load_cpu_seconds = load.cpu_seconds
    return run
