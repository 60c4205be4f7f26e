import asyncio
import time

from prometheus_client import REGISTRY
from unit.operator.leases import Clock

from prewarm_operator.control.liveness import Liveness


async def test_a_loop_that_turns_is_alive() -> None:
    clock = Clock()
    liveness = Liveness(lambda: 5.0, clock)
    clock.now += 1.5
    assert liveness.fault() is None


async def test_an_event_loop_that_is_stuck_is_a_fault() -> None:
    clock = Clock()
    liveness = Liveness(lambda: 0.0, clock)
    clock.now += 12
    assert liveness.fault() == "the event loop lags by 11 s"


async def test_an_election_loop_that_is_stuck_is_a_fault() -> None:
    liveness = Liveness(lambda: 31.0, Clock())
    assert liveness.fault() == "the election loop has not turned for 31 s"


async def test_a_late_timer_is_measured() -> None:
    def late() -> float:
        found = REGISTRY.get_sample_value("prewarm_operator_event_loop_lag_seconds_sum")
        return 0.0 if found is None else found

    before = late()
    running = asyncio.create_task(Liveness(lambda: 0.0).run())
    await asyncio.sleep(0.9)
    time.sleep(0.4)  # what no handler may do
    await asyncio.sleep(0.2)
    running.cancel()
    assert late() - before >= 0.2
