"""The life of one request, and its ends."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from prewarm_agent.admission import run as module
from prewarm_agent.admission.gate import Gate, Refused
from prewarm_agent.admission.load import Load
from prewarm_agent.admission.run import Ended, Run, RunEnded


class Work:
    """Yields its events; a number makes it sleep that long. Ignores `cancel` if told to."""

    def __init__(self, *events: str | float | Exception, stubborn: bool = False) -> None:
        self._events = events
        self._stubborn = stubborn
        self._task: asyncio.Task[None] | None = None
        self.cancelled = self.late = False

    def cancel(self, *, late: bool) -> None:
        self.cancelled, self.late = True, late
        if self._task is not None and not self._stubborn:
            self._task.cancel()

    async def events(self) -> AsyncGenerator[str, None]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            if isinstance(event, float):
                self._task = asyncio.ensure_future(asyncio.sleep(event))
                await self._task
            else:
                yield event


def run(work: Work, gate: Gate | None = None, deadline_seconds: float = 5) -> Run[str]:
    return Run(work, gate or Gate(1, Load()), deadline_seconds=deadline_seconds)


async def free(gate: Gate) -> None:
    async with asyncio.timeout(2):
        while gate.load.in_flight or gate.load.queued:
            await asyncio.sleep(0.005)


async def test_events_come_in_order_and_end() -> None:
    assert [event async for event in run(Work("a", 0.01, "b"))] == ["a", "b"]


async def test_what_the_work_raises_reaches_the_reader_after_the_events() -> None:
    events = run(Work("a", KeyError("x")))
    assert await anext(events) == "a"
    with pytest.raises(KeyError):
        await anext(events)


async def test_the_deadline_ends_the_run_through_its_own_cancellation() -> None:
    work, gate = Work("a", 5.0), Gate(1, Load())
    events = run(work, gate, deadline_seconds=0.02)
    assert await anext(events) == "a"
    with pytest.raises(RunEnded) as raised:
        await anext(events)
    assert raised.value.why is Ended.DEADLINE
    assert (work.cancelled, work.late) == (True, True)
    await free(gate)


async def test_a_run_that_ignores_its_cancellation_is_stopped_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    gate = Gate(1, Load())
    events = run(Work(5.0, stubborn=True), gate)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    events.end(Ended.DISCONNECTED)
    with pytest.raises(RunEnded):
        await anext(events)
    assert gate.load.in_flight == 1
    await free(gate)


async def test_who_stops_a_run_before_its_deadline_does_not_call_it_late() -> None:
    work = Work(5.0)
    events = run(work)
    await asyncio.sleep(0.01)
    events.end(Ended.DISCONNECTED)
    assert (work.cancelled, work.late) == (True, False)


async def test_a_run_that_waits_for_a_place_ends_at_once() -> None:
    gate = Gate(1, Load())
    holder = run(Work(5.0), gate)
    waiting = run(Work("a"), gate)
    await asyncio.sleep(0.01)
    assert gate.load.queued == 1
    waiting.end(Ended.DRAINED)
    await asyncio.sleep(0.01)
    assert gate.load.queued == 0
    holder.end(Ended.DRAINED)


async def test_a_refusal_reaches_the_reader() -> None:
    gate = Gate(1, Load())
    holders = [run(Work(5.0), gate), run(Work(5.0), gate)]
    await asyncio.sleep(0.01)
    with pytest.raises(Refused):
        await anext(run(Work("a"), gate))
    for holder in holders:
        holder.end(Ended.DRAINED)


async def test_the_first_reason_to_end_is_the_one_that_is_told() -> None:
    events = run(Work(5.0))
    await asyncio.sleep(0.01)
    events.end(Ended.DISCONNECTED)
    events.end(Ended.DRAINED)
    with pytest.raises(RunEnded) as raised:
        await anext(events)
    assert raised.value.why is Ended.DISCONNECTED
