"""Where the process stands in its life; probes and metrics read it, phases and the drain write it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from prewarm_agent.admission.load import Load


class Stage(StrEnum):
    """`GENERIC` is warm without an agent, and only before `WARM`."""

    STARTING = "starting"
    GENERIC = "generic"
    WARM = "warm"
    FAILED = "failed"


class Lifecycle:
    """Starting, then warm or failed; while warm it may start to drain, and at the end of the delay it is closed.

    `error` is what made it fail; `transient_errors`, by what has them, are being retried and end nothing. Its state is
    part of the load: who watches that hears of every step. `incurable` is why only a restart helps, or None.
    """

    def __init__(self) -> None:
        self.load = Load()
        self.stage = Stage.STARTING
        self.phase = "bind"
        self.phase_seconds: dict[str, float] = {}
        self.time_to_warm_seconds: float | None = None
        self.error: str | None = None
        self.transient_errors: dict[str, str] = {}
        self.incurable: str | None = None
        self.draining = False
        self.closed = False

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome. True during the drain delay: others still send, and must be served."""
        return self.stage in (Stage.GENERIC, Stage.WARM) and not self.closed

    @property
    def state(self) -> str:
        """What GET /load calls the state: the stage, or `draining`."""
        return "draining" if self.draining else self.stage.value

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

    def generic(self) -> None:
        """Everything is warm that needs no agent."""
        self._enter(Stage.GENERIC)
        self.time_to_warm_seconds = process_age_seconds()

    def warmed(self) -> None:
        """The agent is warm. Of a pod that was generic before, the time to warm stays that of its generic part."""
        if self.stage is not Stage.GENERIC:
            self.time_to_warm_seconds = process_age_seconds()
        self._enter(Stage.WARM)

    def failed(self, error: str) -> None:
        self.error = error
        self._enter(Stage.FAILED)

    def lacks(self, name: str, error: str | None) -> None:
        """Something that is being retried does not answer, or, without an error, does."""
        if error is None:
            self.transient_errors.pop(name, None)
        else:
            self.transient_errors[name] = error

    def judged(self, incurable: str | None) -> None:
        """The event loop is, or is no more, such that only a restart helps."""
        self.incurable = incurable

    def drain(self) -> None:
        """The process was told to stop."""
        self.draining = True
        self.load.changed()

    def report(self) -> dict[str, object]:
        """The body of /warmupz."""
        return {
            "state": self.stage.value,
            "phase": self.phase,
            "phases": {name: round(seconds, 4) for name, seconds in self.phase_seconds.items()},
            "error": self.error or " ".join(self.transient_errors.values()) or None,
        }

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.load.changed()


def process_age_seconds() -> float:
    """Seconds since the kernel started this process, to 10 ms."""
    # The process's name, in parentheses, may hold spaces: fields are counted from behind it. Field 22 is the start.
    stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    started = int(stat[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
