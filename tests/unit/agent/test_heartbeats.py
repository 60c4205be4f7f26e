"""A stream that has nothing to say yet."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.load import Load
from prewarm_agent.admission.run import Run
from prewarm_agent.framework.session import Answer, Delta
from prewarm_agent.serve import running


class Slow:
    def __init__(self, *, fails: bool = False) -> None:
        self._fails = fails

    def cancel(self, *, late: bool) -> None: ...

    async def events(self) -> AsyncGenerator[Delta | Answer, None]:
        await asyncio.sleep(0.1)
        if self._fails:
            raise TimeoutError("the agent's own")
        yield Delta("text")


async def test_silence_is_filled_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "HEARTBEAT_SECONDS", 0.02)
    run: Run[Delta | Answer] = Run(Slow(), Gate(1, Load()), deadline_seconds=5)
    events = [event async for event in running.with_heartbeats(run)]
    assert events[0] is None
    assert [event for event in events if event] == [Delta("text")]


async def test_a_timeout_of_the_agents_own_is_no_silence() -> None:
    run: Run[Delta | Answer] = Run(Slow(fails=True), Gate(1, Load()), deadline_seconds=5)
    with pytest.raises(TimeoutError, match="the agent's own"):
        [event async for event in running.with_heartbeats(run)]
