"""Pid files: the cluster's processes are found again, and nobody else's are touched."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from devcluster.errors import DevClusterError
from devcluster.processes import Daemon, recorded_daemons, stop_all


def test_a_daemon_is_found_by_another_command_and_ends(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, "sleeper")
    daemon.start(["sleep", "60"])
    (found,) = recorded_daemons(tmp_path)
    assert found.running()
    stop_all([found], grace_seconds=5)
    assert not daemon.running()
    assert recorded_daemons(tmp_path) == []


def test_a_daemon_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, "stubborn")
    daemon.start(["bash", "-c", "trap '' TERM; echo trapped; while :; do sleep 0.1; done"])
    while "trapped" not in daemon.log_file.read_text():
        time.sleep(0.01)
    stop_all([daemon], grace_seconds=0.2)
    assert not daemon.running()


def test_a_paused_daemon_ends(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, "paused")
    daemon.start(["sleep", "60"])
    daemon.send(signal.SIGSTOP)
    stop_all([daemon], grace_seconds=5)
    assert not daemon.running()


def test_a_process_that_got_the_pid_later_is_not_touched(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        daemon = Daemon(tmp_path, "gone")
        daemon.pid_file.parent.mkdir()
        daemon.pid_file.write_text(f"{stranger.pid} 1\n")  # started right after boot: not this one
        assert not daemon.running()
        stop_all([daemon], grace_seconds=0)
        assert stranger.poll() is None
        stranger.kill()


def test_a_daemon_outlives_the_command_that_started_it(tmp_path: Path) -> None:
    script = "from pathlib import Path; from devcluster.processes import Daemon; "
    script += f"Daemon(Path({str(tmp_path)!r}), 'sleeper').start(['sleep', '60'])"
    subprocess.run(["python3", "-c", script], check=True, env={**os.environ, "PYTHONPATH": _package_path()})
    daemon = Daemon(tmp_path, "sleeper")
    assert daemon.running()
    stop_all([daemon], grace_seconds=5)


def test_an_unexpected_end_is_told_with_the_logs_last_lines(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, "failing")
    daemon.start(["bash", "-c", "echo no such certificate; exit 3"])
    while daemon.running():
        time.sleep(0.01)
    with pytest.raises(DevClusterError, match="no such certificate"):
        daemon.require_running()


def _package_path() -> str:
    import devcluster

    return str(Path(devcluster.__file__).parents[1])
