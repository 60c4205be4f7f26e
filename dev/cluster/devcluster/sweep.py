"""Taking a cluster off the host, alive or killed, without help from any of its programs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from devcluster import settings
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.host import HostState, cgroup_roots, disable_controllers, restore_sysctls, unload_bridge_filter
from devcluster.processes import recorded_daemons, stop_all

GRACE_SECONDS = 0.5  # for containerd; nothing that the others would still save is kept
KILL_TIMEOUT_SECONDS = 20.0
KEPT_IN_RUN_DIR = {"logs"}
CNI_RESULTS = Path("/var/lib/cni/results")  # libcni's fixed place
CONTAINER_LOG_LINKS = Path("/var/log/containers")  # kubelet's fixed place
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")  # kubelet's fixed place
OCTAL = re.compile(r"\\([0-7]{3})")  # how mountinfo writes blanks
TABLES = ("mangle", "nat", "filter")
JUMP = re.compile(r"^-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) .*-j KUBE-")
CHAIN = re.compile(r"^:(KUBE-\S+) ")


def sweep(state: HostState) -> None:
    """Remove every trace of the cluster that `state` describes; images and logs stay."""
    run_dir = Path(state.run_dir)
    stop_all(recorded_daemons(run_dir), GRACE_SECONDS)
    _kill_containers(run_dir)
    _unmount(run_dir, Path(state.containerd_root))
    _remove_links()
    for command in ("iptables", "ip6tables"):
        _remove_chains(command)
    _remove_cgroups()
    _remove_traces(run_dir)
    _remove_contents(run_dir)
    _remove_folders([Path(folder) for folder in state.created_folders])
    disable_controllers(state.enabled_controllers)
    restore_sysctls(state.sysctls)
    if state.loads_bridge_filter:
        unload_bridge_filter()


def _kill_containers(run_dir: Path) -> None:
    deadline = time.monotonic() + KILL_TIMEOUT_SECONDS
    while pids := _shims(run_dir) | _members_of_cgroups():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise DevClusterError(f"processes {sorted(pids)} of the dev cluster do not end")
        time.sleep(0.02)


def _shims(run_dir: Path) -> set[int]:
    """containerd's helpers, one per pod: they survive containerd and name its socket in their arguments."""
    socket_argument = os.fsencode(run_dir / "containerd.sock")
    pids = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"containerd-shim-runc-v2") and socket_argument in words:
                pids.add(int(process.name))
    return pids


def _members_of_cgroups() -> set[int]:
    pids = set()
    for root in cgroup_roots():
        for members in root.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                pids |= {int(pid) for pid in members.read_text().split()}
    return pids - {0}


def _unmount(*folders: Path) -> None:
    for target in mounts_below(folders, Path("/proc/self/mountinfo").read_text()):
        run(["umount", "--lazy", target])


def mounts_below(folders: Sequence[Path], mountinfo: str) -> list[Path]:
    """Where something is mounted in or below `folders`, the latest mount first."""
    targets = [Path(OCTAL.sub(lambda match: chr(int(match[1], 8)), line.split()[4])) for line in mountinfo.splitlines()]
    return [target for target in reversed(targets) if any(target.is_relative_to(folder) for folder in folders)]


def _remove_links() -> None:
    names = {link["ifname"]: link for link in json.loads(run(["ip", "-json", "link", "show"]))}
    for name, link in names.items():
        if link.get("master") == settings.BRIDGE:
            _remove_link(name)
    if settings.BRIDGE in names:
        _remove_link(settings.BRIDGE)


def _remove_link(name: str) -> None:
    # The kernel removes a veth by itself when its pod's network namespace ends: it may be gone already.
    subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)


def _remove_chains(command: str) -> None:
    if shutil.which(command) is None:
        return
    for table in TABLES:
        saved = subprocess.run([f"{command}-save", "-t", table], check=False, capture_output=True, text=True).stdout
        if script := removal_of_chains(table, saved):
            run([f"{command}-restore", "--noflush"], stdin=script)


def removal_of_chains(table: str, saved: str) -> str:
    """One transaction that takes kubelet's and kube-proxy's chains out of a saved table; empty if there are none."""
    lines = saved.splitlines()
    chains = [match[1] for line in lines if (match := CHAIN.match(line))]
    if not chains:
        return ""
    jumps = [line.replace("-A", "-D", 1) for line in lines if JUMP.match(line)]
    flushed = [f":{chain} - [0:0]" for chain in chains]  # restoring a chain empties it
    removed = [f"-X {chain}" for chain in chains]
    return "\n".join([f"*{table}", *flushed, *jumps, *removed, "COMMIT", ""])


def _remove_cgroups() -> None:
    deadline = time.monotonic() + KILL_TIMEOUT_SECONDS
    while remaining := [root for root in cgroup_roots() if root.exists()]:
        for root in remaining:
            folders = sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True)
            for folder in [*folders, root]:
                with contextlib.suppress(OSError):  # the kernel still ends the last process in it: try again
                    folder.rmdir()
        if time.monotonic() > deadline:
            raise DevClusterError(f"cgroups of the dev cluster cannot be removed: {', '.join(map(str, remaining))}")


def _remove_traces(run_dir: Path) -> None:
    """Remove our files from the places that are fixed in other programs and that we may share with them."""
    for address in run_dir.glob("containerd/io.containerd.runtime.v2.task/*/*/address"):
        Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)  # the socket of a pod's shim
    for result in CNI_RESULTS.glob("*"):
        if f'"{run_dir}/' in result.read_text():  # names the pod's network namespace, which is below our folder
            result.unlink()
    for link in CONTAINER_LOG_LINKS.glob("*"):
        if link.is_symlink() and link.readlink().is_relative_to(run_dir):
            link.unlink()


def _remove_contents(run_dir: Path) -> None:
    for entry in run_dir.glob("*"):
        if entry.name in KEPT_IN_RUN_DIR:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _remove_folders(created: list[Path]) -> None:
    """Remove the folders of other programs that were not there before `up`, as far as they hold nothing of others."""
    if DEVICE_PLUGINS.parent in created:
        shutil.rmtree(DEVICE_PLUGINS, ignore_errors=True)
    for folder in created:
        below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
        for path in [*below, folder]:
            with contextlib.suppress(OSError):  # not empty: somebody else uses it by now
                path.rmdir()
