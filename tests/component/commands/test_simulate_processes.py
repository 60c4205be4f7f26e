"""`prewarm simulate` computes its forecasts in a process of its own: the same ones, and no process stays behind."""

import math
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from component.commands.simulation import command

from prewarm_operator.commands import other_process
from prewarm_operator.simulate.comparison import Question, compare

DEMAND = [40 + 30 * math.sin(tick / 60) for tick in range(450)]
LONG = 100_000
"""Ticks that take most of a minute."""


def test_the_comparison_is_the_same_to_the_last_bit() -> None:
    question = Question(DEMAND, 1_767_225_600.0, start_seconds=20.0, concurrency_limit=4, low=2, high=30)
    seen: list[int] = []
    assert compare(question, seen.append, other_process.forecasts) == compare(question)
    assert seen == list(range(len(DEMAND)))


def test_it_ends_with_whoever_asked() -> None:
    with closing(other_process.forecasts([1.0] * LONG, [(45.0, 0.01)], 0.0)) as parts:
        next(parts)
        assert len(multiprocessing.active_children()) == 1
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_is_told_of() -> None:
    with closing(other_process.forecasts([1.0] * LONG, [(45.0, 0.01)], 0.0)) as parts:
        next(parts)
        (process,) = multiprocessing.active_children()
        process.kill()
        with pytest.raises(other_process.ForecastStopped, match="has ended with code -9; if nobody stopped it"):
            list(parts)


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The command in a process group of its own, while its forecasts are made."""
    loads = np.random.default_rng(7).poisson(20, LONG)
    rows = (f"{15 * tick},{load}" for tick, load in enumerate(loads))
    (tmp_path / "load.csv").write_text("\n".join(("timestamp_seconds,requests", *rows, "")))
    arguments, environment = command("load.csv")
    process = subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listen_to_ctrl_c,
    )
    eventually(lambda: forecaster_of(process) is not None)
    yield process
    if not is_gone(process.pid):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def listen_to_ctrl_c() -> None:
    """What a shell starts in the background ignores it, and hands that on: so does a test run of a CI."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def forecaster_of(process: "subprocess.Popen[str]") -> int | None:
    """The id of the process that forecasts, once it does."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes() and cpu_seconds(child) > 1:
            return int(child)
    return None


def cpu_seconds(process: str) -> float:
    """User time so far."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11]) / os.sysconf("SC_CLK_TCK")


def is_gone(group: int) -> bool:
    """Whether nothing is left of a process group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ctrl_c_ends_both_and_the_other_one_says_nothing(at_work: "subprocess.Popen[str]") -> None:
    forecaster = forecaster_of(at_work)
    assert forecaster is not None
    os.kill(forecaster, signal.SIGINT)  # Ctrl-C reaches both; the other one first
    time.sleep(1)
    os.killpg(at_work.pid, signal.SIGINT)
    _, told = at_work.communicate(timeout=60)
    assert told.count("KeyboardInterrupt") == 1
    assert "prewarm simulate:" not in told
    eventually(lambda: is_gone(at_work.pid))


def test_the_command_says_that_the_other_one_died(at_work: "subprocess.Popen[str]") -> None:
    forecaster = forecaster_of(at_work)
    assert forecaster is not None
    os.kill(forecaster, signal.SIGKILL)
    _, told = at_work.communicate(timeout=60)
    assert at_work.returncode == 1
    assert told.startswith("prewarm simulate: the process that forecasts has ended with code -9; if nobody stopped it")
    assert told.count("\n") == 1
    eventually(lambda: is_gone(at_work.pid))


def test_a_command_that_is_killed_leaves_no_process(at_work: "subprocess.Popen[str]") -> None:
    at_work.kill()
    assert at_work.communicate(timeout=60) == (None, "")
    eventually(lambda: is_gone(at_work.pid))
