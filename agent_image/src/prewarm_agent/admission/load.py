"""How busy this process is, in numbers that one object holds: written where they change, read by `GET /load`."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REFUSED_SECONDS = 5.0
MODEL_CALL_SECONDS = 30.0

# A window forgets in this many steps, and holds no more numbers than that, whatever is counted.
_STEPS = 20
# The steps of the shorter window: what is in it may have changed after this time, though nothing happened.
FADE_SECONDS = REFUSED_SECONDS / _STEPS


class Load:
    """The present load. Whoever writes one of the plain attributes calls `changed`; everything runs in one loop.

    `in_flight` requests run, `queued` wait for a place; `limit` and `queue_limit` say how many may.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.in_flight = 0
        self.queued = 0
        self.limit = 0
        self.queue_limit = 0
        self._refused = _Window(REFUSED_SECONDS, clock)
        self._model_calls = _Window(MODEL_CALL_SECONDS, clock)
        self._failed_model_calls = _Window(MODEL_CALL_SECONDS, clock)
        self._watchers: set[Callable[[], object]] = set()

    def refused(self) -> None:
        """This process itself has answered a request with 429."""
        self._refused.count()
        self.changed()

    def model_call(self, ok: bool) -> None:
        """A call of a model's API has ended: `ok` unless with an error of that API, 429 included."""
        self._model_calls.count()
        if not ok:
            self._failed_model_calls.count()
        self.changed()

    def changed(self) -> None:
        """Tells everyone who watches that `snapshot` may give something new."""
        for watcher in self._watchers:
            watcher()

    @contextmanager
    def watched(self, watcher: Callable[[], object]) -> Iterator[None]:
        """Calls `watcher` at every change, which must return at once and change nothing here."""
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    @property
    def fades(self) -> bool:
        """Whether `snapshot` will change though nothing happens."""
        return bool(self._refused.total() or self._failed_model_calls.total())

    def snapshot(self) -> dict[str, int | float]:
        """The numbers of `GET /load`: those refused in the last 5 s, the share of model calls failed in the last 30."""
        calls = self._model_calls.total()
        share = self._failed_model_calls.total() / calls if calls else 0.0
        return {
            "in_flight": self.in_flight,
            "queued": self.queued,
            "limit": self.limit,
            "queue_limit": self.queue_limit,
            "refused": self._refused.total(),
            "upstream_error_share": round(share, 4),
        }


class _Window:
    """Counts what happened in the last `seconds`, to a step of it."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._step_seconds = seconds / _STEPS
        self._clock = clock
        self._steps: deque[list[int]] = deque()  # [step, count], oldest first
        self._total = 0

    def count(self) -> None:
        step = self._forget()
        if not self._steps or self._steps[-1][0] != step:
            self._steps.append([step, 0])
        self._steps[-1][1] += 1
        self._total += 1

    def total(self) -> int:
        self._forget()
        return self._total

    def _forget(self) -> int:
        """Drops what is older than the window; gives the present step."""
        step = int(self._clock() / self._step_seconds)
        while self._steps and self._steps[0][0] <= step - _STEPS:
            self._total -= self._steps.popleft()[1]
        return step
