"""How long the watcher waits before it starts kopf anew; what ends a watch is tried on a real API server."""

import asyncio
from collections.abc import Callable, Iterable
from types import SimpleNamespace

import pytest

from prewarm_operator.control.watcher import HEALTHY_AFTER_SECONDS, Watcher

MODULE = "prewarm_operator.control.watcher"


class Clock:
    """Time that passes only while something waits for it. `slept` is what the watcher waited, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


async def delays(
    monkeypatch: pytest.MonkeyPatch, lives: Iterable[float], jitter: Callable[[float, float], float] = lambda *_: 1.0
) -> list[float]:
    """What is waited after runs of kopf that last `lives` seconds each. The run after the last of them never ends."""
    clock, ahead, over = Clock(), iter(lives), asyncio.Event()

    class Kopf:
        def __init__(self, *_: object) -> None:
            """As KopfThread."""

        async def run(self, _: object) -> None:
            life = next(ahead, None)
            if life is None:
                over.set()
                await asyncio.Event().wait()
            else:
                clock.now += life

    async def relist() -> None:
        """Nothing is listed here."""

    monkeypatch.setattr(f"{MODULE}.KopfThread", Kopf)
    monkeypatch.setattr(f"{MODULE}.asyncio", SimpleNamespace(sleep=clock.sleep))
    monkeypatch.setattr(f"{MODULE}.time", clock)
    monkeypatch.setattr(f"{MODULE}.random", SimpleNamespace(uniform=jitter))
    watching = asyncio.create_task(Watcher(lambda *_: None, relist, lambda: None).run())
    await over.wait()
    watching.cancel()
    return clock.slept


async def test_watches_that_fail_again_and_again_are_restarted_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await delays(monkeypatch, [0.1] * 7) == [1, 2, 5, 10, 30, 30, 30]


async def test_a_long_run_without_a_fault_ends_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = HEALTHY_AFTER_SECONDS - 1, HEALTHY_AFTER_SECONDS + 1
    assert await delays(monkeypatch, [short, short, short, long, short]) == [1, 2, 5, 1, 2]


async def test_replicas_that_fail_together_do_not_come_back_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await delays(monkeypatch, [0.1], min) == [0.8]
    assert await delays(monkeypatch, [0.1], max) == [1.2]
