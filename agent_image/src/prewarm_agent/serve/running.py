"""The runs of the port for users: each is ended by its client's going away, its deadline, or the drain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.run import Ended, Run, Work
from prewarm_agent.serve.asgi import Receive
from prewarm_agent.serve.errors import APIError, from_exception

Event = TypeVar("Event")

# Proxies give up on a connection that is silent for a minute.
HEARTBEAT_SECONDS = 15.0


class Running:
    """Starts runs behind one gate and knows those that are under way."""

    def __init__(self, gate: Gate, *, request_timeout_seconds: float) -> None:
        self.gate = gate
        self._request_timeout_seconds = request_timeout_seconds
        self._runs: set[Run[Any]] = set()

    def end_all(self) -> bool:
        """Ends every run, waiting ones included, and tells their clients to try again. Whether there were any."""
        runs = list(self._runs)
        for run in runs:
            run.end(Ended.DRAINED)
        return bool(runs)

    @asynccontextmanager
    async def run(self, work: Work[Event], receive: Receive) -> AsyncIterator[Run[Event]]:
        """A run of `work` for the client behind `receive`, whose body was read. Raises APIError for what it raised."""
        run: Run[Event] = Run(work, self.gate, deadline_seconds=self._request_timeout_seconds)
        self._runs.add(run)
        run.on_done(self._runs.discard)
        # With the body read, the next thing that a client can say is that it is gone.
        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(lambda _: run.end(Ended.DISCONNECTED))
        try:
            yield run
        except APIError:
            raise
        except Exception as error:
            raise from_exception(error) from error
        finally:
            gone.cancel()


async def with_heartbeats(run: Run[Event]) -> AsyncIterator[Event | None]:
    """The events of a run, and None whenever there was none for a while."""
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS) as patience:
                event = await anext(run)
        except TimeoutError:
            if not patience.expired():
                raise  # the run's own
            yield None
        except StopAsyncIteration:
            return
        else:
            yield event
