"""Places and the queue for them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from prewarm_agent.admission.gate import Gate, Refused


async def occupy(gate: Gate, release: asyncio.Event, entered: Callable[[], object] = lambda: None) -> None:
    async with gate.place():
        entered()
        await release.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def start(*work: Awaitable[None]) -> list[asyncio.Future[None]]:
    tasks = [asyncio.ensure_future(each) for each in work]
    await settle()
    return tasks


async def test_requests_over_the_limit_wait_in_order() -> None:
    gate, releases, order = Gate(2), [asyncio.Event() for _ in range(3)], list[int]()
    await start(*(occupy(gate, release, lambda n=n: order.append(n)) for n, release in enumerate(releases)))
    assert (gate.in_flight, gate.queued, order) == (2, 1, [0, 1])
    releases[1].set()
    await settle()
    assert (gate.in_flight, gate.queued, order) == (2, 0, [0, 1, 2])


async def test_a_full_queue_refuses_at_once() -> None:
    gate, release = Gate(8), asyncio.Event()
    await start(*(occupy(gate, release) for _ in range(10)))
    assert (gate.in_flight, gate.queued) == (8, 2)
    with pytest.raises(Refused):
        async with gate.place():
            pass
    assert (gate.in_flight, gate.queued) == (8, 2)


async def test_a_place_that_does_not_come_free_in_time_is_refused() -> None:
    gate, release = Gate(1, queue_wait_seconds=0.01), asyncio.Event()
    await start(occupy(gate, release))
    with pytest.raises(Refused):
        async with gate.place():
            pass
    assert (gate.in_flight, gate.queued) == (1, 0)
    release.set()
    await settle()
    async with gate.place():
        assert gate.in_flight == 1


async def test_one_who_leaves_the_queue_leaves_no_hole() -> None:
    gate, release, entered = Gate(1), asyncio.Event(), asyncio.Event()
    holder, leaver = await start(occupy(gate, release), occupy(gate, asyncio.Event()))
    leaver.cancel()
    await settle()
    assert gate.queued == 0
    await start(occupy(gate, asyncio.Event(), entered.set))
    release.set()
    await asyncio.gather(holder)
    await asyncio.wait_for(entered.wait(), 1)


async def test_nobody_overtakes_the_queue() -> None:
    gate, first, order = Gate(1), asyncio.Event(), list[str]()
    await start(occupy(gate, first), occupy(gate, asyncio.Event(), lambda: order.append("queued")))
    first.set()
    await asyncio.sleep(0)
    late = asyncio.ensure_future(occupy(gate, asyncio.Event(), lambda: order.append("late")))
    await settle()
    assert order == ["queued"]
    late.cancel()
