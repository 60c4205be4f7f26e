"""Runs the user's code in processes of its own and puts the results together."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from prewarm_agent.doctor.fault import Fault
from prewarm_agent.doctor.faults import find
from prewarm_agent.doctor.observation import Observation

SLOWER = 1.25
"""A start that takes more CPU than this times the baseline's got slower; less is the machine's own noise."""

RUN_SECONDS = 300.0

KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")


class Unrunnable(Exception):
    """The child ended without an answer; one sentence."""


@dataclass(frozen=True)
class Order:
    """What to measure: `module:factory`, how many requests, with or without the real model, by how many workers."""

    target: str
    request: str | None
    requests: int
    offline: bool
    workers: int


@dataclass(frozen=True)
class Figures:
    """Attributes:
    start_cpu_seconds: CPU of import and build of one process.
    start_seconds, start_seconds_of_several: from process start to built, alone and with as many beside it.
    first_request_seconds, later_request_seconds: wall clock; of the later ones the median.
    first_request_cpu_seconds, later_request_cpu_seconds: the same in CPU.
    """

    start_cpu_seconds: float
    start_seconds: float
    start_seconds_of_several: float | None
    first_request_seconds: float | None
    later_request_seconds: float | None
    first_request_cpu_seconds: float | None
    later_request_cpu_seconds: float | None


@dataclass(frozen=True)
class Examination:
    """What was found: figures of an undisturbed run, and faults of an instrumented one."""

    order: Order
    times: Observation
    seen: Observation
    figures: Figures
    faults: list[Fault]
    slower_than_baseline: float | None

    @property
    def healthy(self) -> bool:
        """Whether CI may go on."""
        return not self.faults and self.slower_than_baseline is None

    def to_json(self) -> dict[str, Any]:
        """For `--json`, and as a later baseline."""
        return {
            "target": self.order.target,
            "figures": asdict(self.figures),
            "faults": [asdict(fault) for fault in self.faults],
            "slower_than_baseline": self.slower_than_baseline,
            "phases": self.seen.to_json()["phases"],
        }


def examine(order: Order, baseline: Path | None) -> Examination:
    """Measure three times: alone, beside others, and with instruments.

    Raises:
        Unrunnable: a process ended without an answer.
        ValueError: the baseline cannot be read; one sentence.
    """
    before = _baseline(baseline)
    (times,) = _run(order, instruments=False, count=1)
    if times.error is not None and not times.kind:
        raise Unrunnable(f"it cannot be loaded: {times.error}.")
    several = _run(order, instruments=False, count=order.workers) if order.workers > 1 and times.error is None else []
    (seen,) = _run(order, instruments=True, count=1)
    figures = _figures(times, several)
    slower = None if before is None else figures.start_cpu_seconds / before
    return Examination(order, times, seen, figures, find(seen), slower if slower and slower > SLOWER else None)


def _baseline(file: Path | None) -> float | None:
    if file is None:
        return None
    try:
        return float(json.loads(file.read_text())["figures"]["start_cpu_seconds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"--baseline {file}: {error}; write it with `prewarm-agent doctor ... --json {file}`."
        ) from error


def _figures(times: Observation, several: Iterable[Observation]) -> Figures:
    first, later = next(iter(times.requests), None), times.requests[1:]
    starts = [each.start_seconds for each in several]
    return Figures(
        start_cpu_seconds=sum(phase.cpu_seconds for phase in times.phases if phase.name in ("import", "build")),
        start_seconds=times.start_seconds,
        start_seconds_of_several=median(starts) if starts else None,
        first_request_seconds=first.seconds if first else None,
        later_request_seconds=median(each.seconds for each in later) if later else None,
        first_request_cpu_seconds=first.cpu_seconds if first else None,
        later_request_cpu_seconds=median(each.cpu_seconds for each in later) if later else None,
    )


def _run(order: Order, *, instruments: bool, count: int) -> list[Observation]:
    children = [_start(order, instruments=instruments) for _ in range(count)]
    return [_finish(*child) for child in children]


def _start(order: Order, *, instruments: bool) -> tuple[subprocess.Popen[bytes], int]:
    reader, writer = os.pipe()
    # Offline nobody looks at a key, and a client without one cannot be built.
    keys = dict.fromkeys(KEYS, "offline") if order.offline else {}
    child = subprocess.Popen(
        [sys.executable, "-m", "prewarm_agent.doctor.child"],
        stdin=subprocess.PIPE,
        pass_fds=(writer,),
        env=keys | os.environ,
    )
    os.close(writer)
    assert child.stdin is not None
    told = {
        **asdict(order),
        "instruments": instruments,
        "answer": writer,
        "began": time.time(),
        "folder": str(Path.cwd()),
    }
    child.stdin.write(json.dumps(told).encode())
    child.stdin.close()
    return child, reader


def _finish(child: subprocess.Popen[bytes], reader: int) -> Observation:
    with os.fdopen(reader) as answers:
        try:
            child.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            raise Unrunnable(f"it did not end within {RUN_SECONDS:.0f} s.") from None
        text = answers.read()
    if not text:
        raise Unrunnable(f"the process ended with exit code {child.returncode} and no answer.")
    return Observation.from_json(json.loads(text))
