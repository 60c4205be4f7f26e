"""One request from the queue to its last event, and the three ways it can end early."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from prewarm_agent.admission.gate import Gate

# A run that was told to stop and has not is cancelled as a task: the last resort for agents that ignore their token.
STOP_SECONDS = 1.0

T = TypeVar("T")
Event_co = TypeVar("Event_co", covariant=True)


class Ended(StrEnum):
    """Why a run was stopped before its end."""

    DEADLINE = "deadline"
    DISCONNECTED = "disconnected"
    DRAINED = "drained"


class RunEnded(Exception):
    """The run was stopped; `why` says by what."""

    def __init__(self, why: Ended) -> None:
        super().__init__(why.value)
        self.why = why


class Work(Protocol[Event_co]):
    """What is run: `cancel` stops it through whatever its framework listens to; `late` where the deadline did it."""

    def events(self) -> AsyncGenerator[Event_co, None]: ...

    def cancel(self, *, late: bool) -> None: ...


class Run(Generic[T]):
    """Waits for a place in the gate, then runs the work. An async iterator of the work's events, for one reader.

    The reader gets RunEnded as soon as the run is told to end, Refused if there is no place, or what the work raised.
    """

    def __init__(self, work: Work[T], gate: Gate, *, deadline_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._work = work
        self._gate = gate
        self._started = False
        self._ended = False
        self._events: asyncio.Queue[T | Exception] = asyncio.Queue()
        self._deadline = loop.call_later(deadline_seconds, self.end, Ended.DEADLINE)
        self._task = loop.create_task(self._go())

    def end(self, why: Ended) -> None:
        """Stops the run. Its place is free when the work has really stopped; the reader does not wait for that."""
        if self._ended or self._task.done():
            return
        self._ended = True
        self._events.put_nowait(RunEnded(why))
        self._work.cancel(late=why is Ended.DEADLINE)
        asyncio.get_running_loop().call_later(STOP_SECONDS if self._started else 0, self._task.cancel)

    def on_done(self, callback: Callable[["Run[T]"], object]) -> None:
        """Calls `callback` with the run when its place is free again."""
        self._task.add_done_callback(lambda _: callback(self))

    def __aiter__(self) -> "Run[T]":
        return self

    async def __anext__(self) -> T:
        event = await self._events.get()
        if isinstance(event, Exception):
            raise event
        return event

    async def _go(self) -> None:
        try:
            async with self._gate.place():
                self._started = True
                async with aclosing(self._work.events()) as events:
                    async for event in events:
                        self._events.put_nowait(event)
            self._events.put_nowait(StopAsyncIteration())
        except asyncio.CancelledError:
            # This is how a stopped run looks from here: its token cancels the futures that it awaits.
            self._events.put_nowait(RuntimeError("the run was cancelled from within"))
        except Exception as error:
            self._events.put_nowait(error)
        finally:
            self._deadline.cancel()
