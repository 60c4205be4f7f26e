"""Where the process stands in its life; probes and metrics read it, phases and the drain write it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path


class Stage(StrEnum):
    STARTING = "starting"
    WARM = "warm"
    FAILED = "failed"


class Lifecycle:
    """Starting, then warm or failed; while warm it may start to drain, and at the end of the delay it is closed.

    `error` is what made it fail; `transient_errors`, by what has them, are being retried and end nothing.
    """

    def __init__(self) -> None:
        self.stage = Stage.STARTING
        self.phase = "bind"
        self.phase_seconds: dict[str, float] = {}
        self.time_to_warm_seconds: float | None = None
        self.error: str | None = None
        self.transient_errors: dict[str, str] = {}
        self.draining = False
        self.closed = False

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome. True during the drain delay: others still send, and must be served."""
        return self.stage is Stage.WARM and not self.closed

    def bound(self) -> None:
        """The ports are bound. The phase `bind` counts from the start of the process, interpreter included."""
        self.phase_seconds["bind"] = process_age_seconds()

    @contextmanager
    def measured(self, phase: str) -> Iterator[None]:
        """Makes `phase` the current one and records how long it took, also when it failed."""
        self.phase = phase
        started = time.perf_counter()
        try:
            yield
        finally:
            self.phase_seconds[phase] = time.perf_counter() - started

    def warmed(self) -> None:
        self.stage = Stage.WARM
        self.time_to_warm_seconds = process_age_seconds()

    def failed(self, error: str) -> None:
        self.stage = Stage.FAILED
        self.error = error

    def report(self) -> dict[str, object]:
        """The body of /warmupz."""
        return {
            "state": self.stage.value,
            "phase": self.phase,
            "phases": {name: round(seconds, 4) for name, seconds in self.phase_seconds.items()},
            "error": self.error or " ".join(self.transient_errors.values()) or None,
        }


def process_age_seconds() -> float:
    """Seconds since the kernel started this process, to 10 ms."""
    # The process's name, in parentheses, may hold spaces: fields are counted from behind it. Field 22 is the start.
    stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    started = int(stat[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
