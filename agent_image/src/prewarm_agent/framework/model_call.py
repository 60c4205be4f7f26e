"""One call of a model's API, from its request to the last event of its answer."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2

from prewarm_agent.framework.error_body import error_status, error_text
from prewarm_agent.framework.upstream import LastCall, OnModelCall, Outcome, outcome_of

# Of an event that is longer, only this much is kept while the rest comes: an error is never that long.
_MAX_EVENT_BYTES = 64 * 1024


class ModelCall:
    """One call, whose end is recorded once; `last` is what its run knows of it."""

    def __init__(self, on_model_call: OnModelCall, last: LastCall) -> None:
        self.last = last
        self._on_model_call = on_model_call
        self._begun_late = last.late
        self._recorded = False
        last.begin()

    @property
    def timed_out(self) -> bool:
        """Whether it was under way when the deadline of its run struck."""
        return self.last.late and not self._begun_late

    def record(self, outcome: Outcome) -> None:
        if not self._recorded:
            self._recorded = True
            self._on_model_call(outcome)


class WatchedStream(httpx.AsyncByteStream, httpx2.AsyncByteStream):
    """A streamed body whose end, good or bad, is recorded once, and so is an error among its events."""

    def __init__(self, stream: Any, call: ModelCall) -> None:
        self._stream = stream
        self._call = call
        self._line = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                self._look_at(part)
                yield part
        except Exception:
            self._call.last.fail(text="it broke off in the middle of its answer.")
            self._call.record(Outcome.ERROR)
            raise

    async def aclose(self) -> None:
        self._look_at(b"\n")
        self._call.record(Outcome.ERROR if self._call.timed_out else Outcome.OK)
        await self._stream.aclose()

    def _look_at(self, part: bytes) -> None:
        """Server-sent events and lines of JSON alike: the SDKs raise for an error in one, but lose its status."""
        *lines, rest = (self._line + part).split(b"\n")
        self._line = rest[:_MAX_EVENT_BYTES]
        for line in lines:
            event = line.removeprefix(b"data:")
            if (status := error_status(event)) is not None:
                self._call.last.fail(status=status, text=error_text(event))
                self._call.record(outcome_of(status))
