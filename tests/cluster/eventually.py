"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.2


def eventually(
    what: str, look: Callable[[], T], holds: Callable[[T], object] = bool, *, seconds: float = 60.0
) -> T:  # fmt: skip
    """What `look()` returns, as soon as it `holds`. Fails with what it last was."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        assert time.monotonic() < deadline, f"{what}: not so within {seconds:g} s. Last seen: {seen}"
        time.sleep(POLL_SECONDS)
