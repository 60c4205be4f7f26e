"""What is told of an event loop that does not turn."""

import asyncio
import logging
import time

import pytest

from prewarm_agent.observe import watchdog
from prewarm_agent.observe.watchdog import Watchdog


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "INTERVAL_SECONDS", 0.02)


def stand_still(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def test_a_loop_that_stood_still_was_late_and_the_line_that_held_it_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lags: list[float] = []
    watching = asyncio.create_task(Watchdog(lags.append, stuck_seconds=0.1).run())
    await asyncio.sleep(0.1)
    with caplog.at_level(logging.ERROR):
        stand_still(0.6)
        await asyncio.sleep(0.1)
    watching.cancel()
    assert max(lags) > 0.4
    (record,) = [record for record in caplog.records if record.message == "event loop stands"]
    assert any("stand_still" in line for line in vars(record)["where"])


async def test_a_loop_that_waits_is_not_late(caplog: pytest.LogCaptureFixture) -> None:
    lags: list[float] = []
    watching = asyncio.create_task(Watchdog(lags.append, stuck_seconds=5).run())
    await asyncio.sleep(0.3)
    watching.cancel()
    assert len(lags) > 3
    assert min(lags) < 0.1
    assert caplog.records == []
