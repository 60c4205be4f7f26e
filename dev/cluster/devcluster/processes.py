"""Background processes that outlive the command that started them, known by their pid files.

A pid file holds the pid and the process's start time. Pids are reused, start times are not, so a signal never reaches
a process that merely inherited the number.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from devcluster.commands import tail
from devcluster.errors import DevClusterError

POLL_SECONDS = 0.05


class Daemon:
    """One background process of the cluster in `run_dir`: `pids/<name>` and `logs/<name>.log` are its files."""

    def __init__(self, run_dir: Path, name: str) -> None:
        self.name = name
        self.pid_file = run_dir / "pids" / name
        self.log_file = run_dir / "logs" / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        """Start `command` in a session of its own; the log begins anew. `env` adds to the caller's environment."""
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("wb") as log:
            child = subprocess.Popen(
                [str(word) for word in command],
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._child = child
        self.pid_file.write_text(f"{child.pid} {start_time(child.pid)}\n")

    def running(self) -> bool:
        """Whether the recorded process, and not another one with its pid, is alive."""
        if self._child is not None:
            self._child.poll()  # collects a child that has ended
        recorded = self._recorded()
        return recorded is not None and start_time(recorded[0]) == recorded[1]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the recorded process; nothing happens if it has ended."""
        recorded = self._recorded()
        if recorded is None:
            return
        pid, started = recorded
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                if start_time(pid) == started:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    def require_running(self) -> None:
        """Raise DevClusterError with the end of the log if the process has ended."""
        if not self.running():
            log = self.log_file.read_text(errors="replace")
            raise DevClusterError(f"{self.name} ended unexpectedly; its log is {self.log_file}\n{tail(log)}")

    def _recorded(self) -> tuple[int, int] | None:
        try:
            pid, started = self.pid_file.read_text().split()
            return int(pid), int(started)  # no number, if it had ended before its start was looked up
        except (FileNotFoundError, ValueError):
            return None


def recorded_daemons(run_dir: Path) -> list[Daemon]:
    """Every daemon that has a pid file in `run_dir`, alive or not."""
    pids = run_dir / "pids"
    return [Daemon(run_dir, file.name) for file in sorted(pids.iterdir())] if pids.is_dir() else []


def stop_all(daemons: Iterable[Daemon], grace_seconds: float) -> None:
    """End all at once: SIGTERM, after `grace_seconds` SIGKILL; returns when none is left and removes the pid files."""
    stopping = list(daemons)
    for daemon in stopping:
        daemon.send(signal.SIGCONT)  # a paused process would not see SIGTERM
        daemon.send(signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while any(daemon.running() for daemon in stopping) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for daemon in stopping:
        daemon.send(signal.SIGKILL)
    while any(daemon.running() for daemon in stopping):
        time.sleep(POLL_SECONDS)
    for daemon in stopping:
        daemon.pid_file.unlink(missing_ok=True)


def start_time(pid: int) -> int | None:
    """When process `pid` started, in clock ticks since boot; None if there is none or it is a zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after_name[0] in "ZX" else int(after_name[19])
