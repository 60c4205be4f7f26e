"""Whatever the network, the scheduler and the clocks do, no two replicas may ever write at once.

Dice decide in which order requests are served, answers arrive or get lost, and how time passes meanwhile: a request
that nobody carries on is a process that is paused. There are no timeouts here, so it may hang for any time.
"""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from unit.operator.leases import Clock, Lock

from prewarm_operator.control.leader import LeaderElection
from prewarm_operator.control.lease import Lease
from prewarm_operator.kube.errors import KubeError, Unreachable
from prewarm_operator.settings import LeaseTimes

REPLICAS = 3
TIMES = LeaseTimes()


@dataclass
class Network:
    """Every request waits once before it is served and once before its answer arrives, until the test says go on."""

    lock: Lock = field(default_factory=Lock)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    async def get(self) -> Lease | None:
        return await self._carry(self.lock.get)

    async def create(self, lease: Lease) -> Lease:
        return await self._carry(lambda: self.lock.create(lease))

    async def update(self, lease: Lease) -> Lease:
        return await self._carry(lambda: self.lock.update(lease))

    async def _carry(self, request):  # type: ignore[no-untyped-def]
        await self._wait()
        try:
            answer = await request()
        except KubeError as error:
            answer = error
        await self._wait()
        if isinstance(answer, KubeError):
            raise answer
        return answer

    async def _wait(self) -> None:
        go_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(go_on)
        await go_on


@dataclass
class Skewed:
    """A clock that shows another time than the true one, at the same pace."""

    true: Clock
    ahead: float

    def __call__(self) -> float:
        return self.true() + self.ahead


@pytest.mark.parametrize("seed", range(30))
async def test_two_replicas_never_write_at_once(seed: int) -> None:
    dice = random.Random(seed)
    network, clock = Network(), Clock()
    replicas = [
        LeaderElection(network, f"pod-{number}", TIMES, Skewed(clock, ahead=number * 1000.0))
        for number in range(REPLICAS)
    ]
    turns: list[asyncio.Task[None] | None] = [None] * REPLICAS
    busy_until = [0.0] * REPLICAS
    terms = 0
    for _ in range(600):
        match dice.choices(("turn", "go on", "lose", "wait a little", "wait long"), (30, 60, 3, 15, 1))[0]:
            case "turn":
                number = dice.randrange(REPLICAS)
                running = turns[number]
                if running is None or running.done():
                    turns[number] = asyncio.create_task(replicas[number].turn())
            case "go on" if network.waiting:
                network.waiting.pop(dice.randrange(len(network.waiting))).set_result(None)
            case "lose" if network.waiting:
                network.waiting.pop(dice.randrange(len(network.waiting))).set_exception(Unreachable("lost"))
            case "wait a little":
                clock.now += dice.uniform(0, 3)
            case "wait long":
                clock.now += dice.uniform(5, 40)
        for _ in range(4):
            await asyncio.sleep(0)
        for number, replica in enumerate(replicas):
            if replica.is_leading():
                others = [until for other, until in enumerate(busy_until) if other != number]
                assert max(others) <= clock.now, f"pod-{number} may write while another one may be writing"
                terms += busy_until[number] < clock.now
                busy_until[number] = clock.now + replica.write_seconds()
    assert terms >= 3  # else the dice have shown nothing
    for turn in turns:
        if turn is not None:
            turn.cancel()
