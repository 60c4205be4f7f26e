"""A Lease in memory, which updates by resource version as the API server does, and a clock that the test turns."""

from collections.abc import Callable
from dataclasses import replace

from prewarm_operator.control.lease import Lease
from prewarm_operator.kube.errors import Conflict, NotFound, Unreachable


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Lock:
    """`before` and `after` are called around every request, in that order; an error that they raise is the answer."""

    def __init__(self) -> None:
        self.stored: Lease | None = None
        self.version = 0
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    async def get(self) -> Lease | None:
        self.before()
        found = self.stored
        self.after()
        return found

    async def create(self, lease: Lease) -> Lease:
        self.before()
        if self.stored is not None:
            raise Conflict(409, "exists")
        return self._store(lease)

    async def update(self, lease: Lease) -> Lease:
        self.before()
        if self.stored is None:
            raise NotFound(404, "no such Lease")
        if lease.metadata != self.stored.metadata:
            raise Conflict(409, "has been modified")
        return self._store(lease)

    def _store(self, lease: Lease) -> Lease:
        self.version += 1
        # The version stands for the renewTime too: these tests turn their own clock, not the wall's.
        self.stored = replace(
            lease, metadata={"resourceVersion": str(self.version)}, renew_time=f"{lease.holder} {self.version}"
        )
        self.after()
        return self.stored


def refuse() -> None:
    """For `before`: the request never arrives. For `after`: its answer never does."""
    raise Unreachable("away")
