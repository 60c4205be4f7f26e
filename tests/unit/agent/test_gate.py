"""Places and the queue for them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from prewarm_agent.admission.gate import Gate, Refused
from prewarm_agent.admission.load import Load


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
    gate, releases, order = Gate(2, Load()), [asyncio.Event() for _ in range(3)], list[int]()
    await start(*(occupy(gate, release, lambda n=n: order.append(n)) for n, release in enumerate(releases)))
    assert (gate.load.in_flight, gate.load.queued, order) == (2, 1, [0, 1])
    releases[1].set()
    await settle()
    assert (gate.load.in_flight, gate.load.queued, order) == (2, 0, [0, 1, 2])


async def test_a_full_queue_refuses_at_once() -> None:
    gate, release = Gate(8, Load()), asyncio.Event()
    await start(*(occupy(gate, release) for _ in range(10)))
    assert (gate.load.in_flight, gate.load.queued) == (8, 2)
    with pytest.raises(Refused):
        async with gate.place():
            pass
    assert (gate.load.in_flight, gate.load.queued) == (8, 2)


async def test_a_place_that_does_not_come_free_in_time_is_refused() -> None:
    gate, release = Gate(1, Load(), queue_wait_seconds=0.01), asyncio.Event()
    await start(occupy(gate, release))
    with pytest.raises(Refused):
        async with gate.place():
            pass
    assert (gate.load.in_flight, gate.load.queued) == (1, 0)
    release.set()
    await settle()
    async with gate.place():
        assert gate.load.in_flight == 1


async def test_one_who_leaves_the_queue_leaves_no_hole() -> None:
    gate, release, entered = Gate(1, Load()), asyncio.Event(), asyncio.Event()
    holder, leaver = await start(occupy(gate, release), occupy(gate, asyncio.Event()))
    leaver.cancel()
    await settle()
    assert gate.load.queued == 0
    await start(occupy(gate, asyncio.Event(), entered.set))
    release.set()
    await asyncio.gather(holder)
    await asyncio.wait_for(entered.wait(), 1)


async def test_nobody_overtakes_the_queue() -> None:
    gate, first, order = Gate(1, Load()), asyncio.Event(), list[str]()
    await start(occupy(gate, first), occupy(gate, asyncio.Event(), lambda: order.append("queued")))
    first.set()
    await asyncio.sleep(0)
    late = asyncio.ensure_future(occupy(gate, asyncio.Event(), lambda: order.append("late")))
    await settle()
    assert order == ["queued"]
    late.cancel()


async def test_the_load_knows_who_is_inside_who_waits_and_who_was_refused() -> None:
    load = Load()
    gate, release = Gate(4, load), asyncio.Event()
    assert (load.limit, load.queue_limit) == (4, 1)
    heard = []
    with load.watched(lambda: heard.append(load.snapshot())):
        await start(*(occupy(gate, release) for _ in range(5)))
        with pytest.raises(Refused):
            async with gate.place():
                pass
        release.set()
        await settle()
    assert max((seen["in_flight"], seen["queued"]) for seen in heard) == (4, 1)
    assert heard[-1]["refused"] == 1
    assert (load.in_flight, load.queued) == (0, 0)
