"""What a person sees while the dev cluster works: each long step when it starts, while it runs, when it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 20.0


def say(line: str) -> None:
    """Print one line for the person who waits. stdout stays free for answers such as the kubeconfig's path."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce `title`, repeat it every 20 seconds while the body runs, and say how it ended and after how long."""
    say(f"{title} ...")
    started = time.monotonic()
    ended = threading.Event()

    def heartbeat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            say(f"  still {title} ({time.monotonic() - started:.0f} s)")

    beat = threading.Thread(target=heartbeat, daemon=True)
    beat.start()
    outcome = "failed after"
    try:
        yield
        outcome = "done in"
    finally:
        ended.set()
        beat.join()
        say(f"  {outcome} {time.monotonic() - started:.1f} s")
