"""What is told of an event loop that does not turn."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from prewarm_agent.observe import watchdog
from prewarm_agent.observe.watchdog import Watchdog, cpu_wait_seconds


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 0.1)
    monkeypatch.setattr(watchdog, "GIVE_UP_SECONDS", 0.5)


def stand_still(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def test_a_loop_that_stood_still_was_late_and_the_line_that_held_it_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lags: list[float] = []
    verdicts: list[str | None] = []
    watching = asyncio.create_task(Watchdog(lags.append, verdicts.append).run())
    await asyncio.sleep(0.1)
    with caplog.at_level(logging.ERROR):
        stand_still(0.7)
        await asyncio.sleep(0.1)
    watching.cancel()
    assert max(lags) > 0.4
    assert verdicts == []  # one call, however long, is over
    (record,) = [record for record in caplog.records if record.message == "event loop stands"]
    assert any("stand_still" in line for line in vars(record)["where"])


async def test_a_loop_that_waits_is_not_late(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 5)
    lags: list[float] = []
    watching = asyncio.create_task(Watchdog(lags.append, pytest.fail).run())
    await asyncio.sleep(0.3)
    watching.cancel()
    assert len(lags) > 3
    assert min(lags) < 0.1
    assert caplog.records == []


async def stand_still_often(times: int) -> None:
    for _ in range(times):
        stand_still(0.2)
        await asyncio.sleep(0)


async def test_a_loop_that_is_late_each_time_is_given_up_until_it_turns_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "cpu_wait_seconds", lambda: 0.0)  # the test's own machine may be busy
    verdicts: list[str | None] = []
    watching = asyncio.create_task(Watchdog(lambda _: None, verdicts.append).run())
    await asyncio.sleep(0.1)
    await stand_still_often(2)
    assert verdicts == []
    await asyncio.sleep(0.1)
    await stand_still_often(8)
    (sentence,) = verdicts
    assert sentence is not None
    assert sentence.startswith("For 0.5 s the event loop has been more than 0.1 s late each time")
    await asyncio.sleep(0.2)
    watching.cancel()
    assert verdicts == [sentence, None]
    assert [record.message for record in caplog.records if "stands" not in record.message] == [
        "event loop given up",
        "event loop turns again",
    ]


async def test_a_loop_that_is_late_for_want_of_cpu_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "cpu_wait_seconds", time.monotonic)  # all the time it waited for a CPU
    watching = asyncio.create_task(Watchdog(lambda _: None, pytest.fail).run())
    await asyncio.sleep(0.1)
    await stand_still_often(8)
    await asyncio.sleep(0.1)
    assert not watching.done()
    watching.cancel()


def test_the_wait_for_a_cpu_is_that_of_the_thread() -> None:
    waited: list[float] = []

    def contend() -> None:
        before = cpu_wait_seconds()
        os.sched_setaffinity(threading.get_native_id(), {min(os.sched_getaffinity(0))})
        rival = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
        try:
            assert rival.stdout is not None
            rival.stdout.readline()
            stand_still(1)
        finally:
            rival.kill()
            rival.communicate()
        waited.append(cpu_wait_seconds() - before)

    thread = threading.Thread(target=contend)
    thread.start()
    thread.join()
    assert waited[0] > 0.1
    assert cpu_wait_seconds() >= 0
