"""What one request spends its time on. Light: the port for users imports it before anything heavy is there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class Request:
    """Adds up the time in which at least one call of a model or tool is under way; calls may overlap and nest."""

    def __init__(self, span: "Span | None") -> None:
        self.span = span
        self._under_way = 0
        self._since = 0.0
        self._seconds = 0.0

    @property
    def call_seconds(self) -> float:
        """A run that was given up may leave calls behind: they count as far as they have come."""
        return self._seconds + (time.perf_counter() - self._since if self._under_way else 0.0)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """A call is under way inside."""
        if not self._under_way:
            self._since = time.perf_counter()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._seconds += time.perf_counter() - self._since


# Set for each request, and so seen by all its tasks.
current: ContextVar[Request | None] = ContextVar("prewarm_request", default=None)
