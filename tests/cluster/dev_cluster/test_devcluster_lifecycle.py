"""The dev cluster comes up from any state and leaves the host as it was. Each test ends with a fresh cluster."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import host, settings
from devcluster.cluster import Cluster
from devcluster.commands import run
from devcluster.processes import Daemon, recorded_daemons

CACHE = settings.Cache.from_environment()
PROGRAMS = re.compile(r"containerd|kubelet|kube-|etcd|coredns|/pause")
SYSCTLS = ("kernel.panic", "net.bridge.", "net.ipv4.", "net.ipv6.", "vm.")
UNRELATED_SYSCTLS = re.compile(r"net\.ipv4\.tcp_fastopen_key|\.stable_secret|vm\.(stat_refresh|compact_memory)")


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_words(*words), env=_environment(), check=False, capture_output=True, text=True)


def _words(*words: str) -> list[str]:
    return [sys.executable, "-m", "devcluster", *words]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(settings.REPOSITORY / "dev" / "cluster")}


def _up() -> None:
    result = _command("up")
    assert result.returncode == 0, result.stderr


def _down() -> None:
    result = _command("down")
    assert result.returncode == 0, result.stderr


def _run_a_pod() -> None:
    kubectl = [str(CACHE.current / "kubectl"), f"--kubeconfig={Cluster(CACHE).kubeconfig}"]
    run([*kubectl, "run", "lifecycle", f"--image={settings.PAUSE_IMAGE}", "--port=80", "--expose"])
    run([*kubectl, "wait", "pod/lifecycle", "--for=condition=Ready", "--timeout=60s"])


def _kill_everything() -> None:
    for daemon in recorded_daemons(CACHE.run):
        daemon.send(signal.SIGKILL)


def _host() -> dict[str, list[str]]:
    """All of the host that a cluster touches, without what changes by itself."""
    return {
        "mounts": [" ".join(line.split()[:3]) for line in Path("/proc/mounts").read_text().splitlines()],
        "links": sorted(link["ifname"] for link in json.loads(run(["ip", "-json", "link"]))),
        "addresses": _addresses(),
        "routes": run(["ip", "route", "show", "table", "all"]).splitlines(),
        "rules": run(["ip", "rule"]).splitlines(),
        "iptables": _packet_rules("iptables-save"),
        "ip6tables": _packet_rules("ip6tables-save"),
        "cgroups": sorted(str(path) for path in host.CGROUPS.glob("*/*") if path.is_dir()),
        "controllers": _enabled_controllers(),
        "sysctls": _sysctls(),
        "processes": _processes(),
        "files": sorted(str(path) for folder in host.FIXED_FOLDERS for path in (folder, *folder.rglob("*"))),
        "existing": [str(folder) for folder in host.FIXED_FOLDERS if folder.exists()],
    }


def _changes(before: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is there now and was not, and the other way round, by kind; empty if the host is as it was."""
    now = _host()
    return {
        kind: sorted(set(lines) ^ set(now[kind]))
        for kind, lines in before.items()
        if sorted(lines) != sorted(now[kind])
    }


def _addresses() -> list[str]:
    links = json.loads(run(["ip", "-json", "address"]))
    return sorted(f"{link['ifname']} {entry['local']}" for link in links for entry in link["addr_info"])


def _packet_rules(command: str) -> list[str]:
    # Comments carry the time. A table that was never used is not shown, a used one with its empty built-in chains.
    lines = run([command]).splitlines()
    return [line for line in lines if line.startswith("-A") or (line.startswith(":") and line.split()[1] == "-")]


def _enabled_controllers() -> list[str]:
    enabled = host.CGROUPS / "cgroup.subtree_control"  # cgroup v2 alone has it
    return enabled.read_text().split() if enabled.exists() else []


def _sysctls() -> list[str]:
    found = []
    for name in SYSCTLS:
        folder, _, prefix = name.replace(".", "/").rpartition("/")
        found += [
            path for path in (Path("/proc/sys") / folder).rglob(f"{prefix}*" if prefix else "*") if path.is_file()
        ]
    readable = [path for path in sorted(found) if os.access(path, os.R_OK)]
    values = {str(path.relative_to("/proc/sys")).replace("/", "."): _value(path) for path in readable}
    return [f"{name} = {value}" for name, value in values.items() if not UNRELATED_SYSCTLS.search(name)]


def _value(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "unreadable"


def _processes() -> list[str]:
    """Command lines of the cluster's programs, but for control planes that other tests run.

    One that has ended and waits for the host's init to notice is gone.
    """
    lines = [line for line in run(["ps", "-e", "-o", "args="]).splitlines() if not line.endswith("<defunct>")]
    ours = (str(CACHE.run), settings.NODE_ADDRESS, "containerd-shim", "/pause")
    return sorted(line for line in lines if PROGRAMS.search(line) and any(word in line for word in ours))


@pytest.fixture(autouse=True)
def _up_in_the_end() -> Iterator[None]:
    yield
    _up()


def test_down_leaves_the_host_as_it_was() -> None:
    _down()
    before = _host()
    _up()
    _run_a_pod()
    assert _changes(before)
    _down()
    assert _changes(before) == {}


def test_down_after_a_crash_leaves_the_host_as_it_was() -> None:
    _down()
    before = _host()
    _up()
    _run_a_pod()
    _kill_everything()
    _down()
    assert _changes(before) == {}


def test_sysctls_of_the_time_before_survive_a_crash_and_a_second_up() -> None:
    _down()
    before = host.read_sysctls()
    _up()
    _kill_everything()
    _up()
    _down()
    assert host.read_sysctls() == before


def test_a_killed_cluster_is_swept_and_a_pod_runs_on_the_next() -> None:
    _run_a_pod()
    _kill_everything()
    assert _command("status").returncode == 1
    _up()
    _run_a_pod()


def test_up_leaves_a_healthy_cluster_alone() -> None:
    before = [daemon.pid_file.read_text() for daemon in recorded_daemons(CACHE.run)]
    _up()
    assert [daemon.pid_file.read_text() for daemon in recorded_daemons(CACHE.run)] == before


def test_up_does_not_replace_a_cluster_that_runs_but_is_ill() -> None:
    Daemon(CACHE.run, "kube-scheduler").send(signal.SIGKILL)
    result = _command("up")
    assert result.returncode == 1
    assert "kube-scheduler does not run" in result.stderr
    assert Daemon(CACHE.run, "kube-apiserver").running()
    _down()


def test_a_cluster_of_another_cache_is_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to(CACHE.programs)
    monkeypatch.setenv("PREWARM_CACHE", str(tmp_path))
    result = _command("up")
    monkeypatch.undo()
    assert result.returncode == 1
    assert f"PREWARM_CACHE={CACHE.root}" in result.stderr


def test_two_ups_at_once_make_one_cluster() -> None:
    _down()
    first, second = (subprocess.Popen(_words("up"), env=_environment(), stderr=subprocess.DEVNULL) for _ in range(2))
    assert (first.wait(), second.wait()) == (0, 0)
    assert _command("status").returncode == 0
    servers = [
        line for line in _processes() if f"--bind-address={settings.NODE_ADDRESS}" in line and "apiserver" in line
    ]
    assert len(servers) == 1


def _hear_interrupts() -> None:
    """As in a terminal: what a shell has started in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_up_that_was_ended_on_its_way_can_be_run_again(number: signal.Signals) -> None:
    _down()
    with subprocess.Popen(
        _words("up"), env=_environment(), stderr=subprocess.DEVNULL, preexec_fn=_hear_interrupts
    ) as interrupted:
        while not Daemon(CACHE.run, "kube-apiserver").running():
            assert interrupted.poll() is None
            time.sleep(0.01)
        interrupted.send_signal(number)
    assert interrupted.returncode != 0
    _up()
    assert _command("status").returncode == 0


def test_a_strangers_port_is_refused_and_nothing_is_changed() -> None:
    _down()
    before = _host()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the API server's old connections linger
        stranger.setsockopt(socket.IPPROTO_IP, host.IP_FREEBIND, 1)
        stranger.bind((settings.NODE_ADDRESS, settings.API_PORT))
        stranger.listen()
        result = _command("up")
    assert result.returncode == 1
    assert f"port {settings.API_PORT} of {settings.NODE_ADDRESS}" in result.stderr
    assert _changes(before) == {}


def test_pods_together_outweigh_a_busy_process_of_the_host() -> None:
    weights = [
        (int(file.read_text()), one_process)
        for name, one_process in (("cpu.shares", 1024), ("cpu.weight", 100))
        for root in host.cgroup_roots()
        if (file := root / name).exists()
    ]
    assert weights
    assert all(weight >= 10 * one_process for weight, one_process in weights)
