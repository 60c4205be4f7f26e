import asyncio

import pytest

from prewarm_operator.control.queue import WorkQueue
from prewarm_operator.control.workers import work
from prewarm_operator.kube.errors import Refused, Unreachable
from prewarm_operator.world.cache import Key

A, B = Key("n", "a"), Key("n", "b")


async def test_a_thousand_marks_while_a_key_is_in_work_lead_to_one_more_turn() -> None:
    queue, runs, release = WorkQueue(), 0, asyncio.Event()

    async def reconcile(_: Key) -> None:
        nonlocal runs
        runs += 1
        await release.wait()

    worker = asyncio.create_task(work(queue, reconcile))
    queue.add(A)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(1000):
        queue.add(A)
    release.set()
    await asyncio.sleep(0.05)
    worker.cancel()
    assert runs == 2


async def test_a_key_is_never_in_work_twice_at_once() -> None:
    queue, running, most = WorkQueue(), 0, 0

    async def reconcile(_: Key) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    workers = [asyncio.create_task(work(queue, reconcile)) for _ in range(4)]
    for _ in range(50):
        queue.add(A)
        await asyncio.sleep(0.0005)
    for worker in workers:
        worker.cancel()
    assert most == 1


async def test_a_key_that_is_held_does_not_delay_another() -> None:
    queue, seen = WorkQueue(), asyncio.Event()

    async def reconcile(key: Key) -> None:
        if key == B:
            seen.set()
        else:
            await asyncio.Event().wait()

    workers = [asyncio.create_task(work(queue, reconcile)) for _ in range(2)]
    queue.add(A)
    queue.add(B)
    async with asyncio.timeout(1):
        await seen.wait()
    for worker in workers:
        worker.cancel()


@pytest.mark.parametrize("error", [Unreachable("x"), ValueError("bug"), TimeoutError()])
async def test_whatever_a_reconcile_raises_it_is_tried_again(error: Exception) -> None:
    queue, runs = WorkQueue(jitter=lambda: 0.0), 0

    async def reconcile(_: Key) -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise error

    worker = asyncio.create_task(work(queue, reconcile))
    queue.add(A)
    await asyncio.sleep(0.05)
    worker.cancel()
    assert runs == 3


async def test_failures_wait_twice_as_long_each_time_up_to_a_minute_and_start_over_after_success() -> None:
    queue = WorkQueue(jitter=lambda: 1.0)
    delays = [queue.add_failed(A) for _ in range(12)]
    assert delays[:4] == [0.2, 0.4, 0.8, 1.6]
    assert delays[-1] == 60.0
    queue.forget_failures(A)
    assert queue.add_failed(A) == 0.2


async def test_of_two_delays_the_earlier_one_counts() -> None:
    queue = WorkQueue()
    queue.add_after(A, 30.0)
    queue.add_after(A, 0.0)
    queue.add_after(A, 60.0)
    async with asyncio.timeout(1):
        assert await queue.get() == A


async def test_retry_after_is_not_undercut_by_the_backoff() -> None:
    queue, runs = WorkQueue(jitter=lambda: 0.0), 0

    async def reconcile(_: Key) -> None:
        nonlocal runs
        runs += 1
        raise Refused(429, "slow down", retry_after_seconds=30.0)

    worker = asyncio.create_task(work(queue, reconcile))
    queue.add(A)
    await asyncio.sleep(0.05)
    worker.cancel()
    assert runs == 1


@pytest.mark.parametrize("earlier", [True, False])
async def test_retry_after_is_not_undercut_by_an_event_about_our_own_write(earlier: bool) -> None:
    queue = WorkQueue(jitter=lambda: 0.0)
    queue.add(A)
    assert await queue.get() == A
    queue.add(A)  # our own write comes back by the watch while its turn lasts,
    if earlier:
        queue.add_after(A, 0.05)  # and a timer was set before
    queue.add_failed(A, at_least_seconds=0.2)
    queue.done(A)
    queue.add(A)  # or it comes back later
    queue.add(B)
    assert await queue.get() == B
    started = asyncio.get_running_loop().time()
    assert await queue.get() == A
    assert asyncio.get_running_loop().time() - started > 0.15


async def test_an_event_ends_the_wait_after_a_failure_that_came_without_retry_after() -> None:
    queue = WorkQueue(jitter=lambda: 100.0)
    queue.add_failed(A)
    queue.add(A)
    assert await asyncio.wait_for(queue.get(), 1) == A


async def test_a_shut_down_waits_for_what_is_in_work_and_hands_out_no_more() -> None:
    queue, done, release = WorkQueue(), [], asyncio.Event()

    async def reconcile(key: Key) -> None:
        await release.wait()
        done.append(key)

    worker = asyncio.create_task(work(queue, reconcile))
    queue.add(A)
    queue.add(B)
    await asyncio.sleep(0.01)
    drain = asyncio.create_task(queue.shut_down_with_drain())
    await asyncio.sleep(0.01)
    assert not drain.done()
    release.set()
    await asyncio.wait_for(drain, 1)
    await asyncio.sleep(0.01)
    worker.cancel()
    assert done == [A]


async def test_a_shut_down_with_nothing_in_work_ends_at_once() -> None:
    queue = WorkQueue()
    queue.add(A)
    await asyncio.wait_for(queue.shut_down_with_drain(), 1)
