"""Locks between commands of different shells and checkouts."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.progress import say


@contextmanager
def exclusive(file: Path, holder: str) -> Iterator[None]:
    """Hold the lock `file`; while somebody else does, say that `holder` is waited for. A killed holder lets go."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {holder} to end ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
