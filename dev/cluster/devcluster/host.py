"""What the cluster changes on the host: the record of it, sysctls, the bridge with its address and routes, cgroups."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import shutil
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from devcluster import settings
from devcluster.commands import run
from devcluster.errors import DevClusterError

STATE_FILE = settings.HOST_STATE / "state.json"
CGROUPS = Path("/sys/fs/cgroup")
BRIDGE_FILTER = "net.bridge.bridge-nf-call-iptables"  # there when the kernel has br_netfilter, often a module
# Set by the kubelet (the first three), the bridge plugin, kube-proxy, and `create_network` (the last two).
SYSCTLS = (
    "vm.overcommit_memory",
    "kernel.panic",
    "kernel.panic_on_oops",
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.conf.all.send_redirects",
    BRIDGE_FILTER,
)
PODS_CHAIN = "KUBE-PREWARM-DEV"  # leaves the host with all other KUBE- chains
FIXED_FOLDERS = (
    Path("/run/containerd"),
    Path("/var/lib/cni"),
    Path("/var/lib/kubelet"),
    Path("/var/log/containers"),
)
KUBELET_CONTROLLERS = frozenset({"cpu", "cpuset", "memory", "hugetlb", "pids"})
IP_FREEBIND = 15  # linux/in.h: bind to an address that the host does not have yet


@dataclass(frozen=True)
class HostState:
    """The cluster on this host, dead or alive, and how to undo it. `complete` once `up` has come to its end."""

    run_dir: str
    containerd_root: str
    sysctls: dict[str, str]
    created_folders: list[str]
    complete: bool = False
    loads_bridge_filter: bool = False
    enabled_controllers: Sequence[str] = ()

    @classmethod
    def load(cls) -> HostState | None:
        """What the last `up` recorded, or None if no cluster is to be undone."""
        try:
            return cls(**json.loads(STATE_FILE.read_text()))
        except FileNotFoundError:
            return None

    def completed(self) -> HostState:
        """The same, once everything runs."""
        return replace(self, complete=True)

    def save(self) -> None:
        """Record it, in one step."""
        settings.HOST_STATE.mkdir(parents=True, exist_ok=True)
        fresh = STATE_FILE.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=1))
        fresh.rename(STATE_FILE)

    @staticmethod
    def forget() -> None:
        """Record that this host has no cluster."""
        shutil.rmtree(settings.HOST_STATE)


def absent_folders() -> list[str]:
    """The folders that the cluster's programs are going to create outside its own."""
    return [str(folder) for folder in FIXED_FOLDERS if not folder.exists()]


def read_sysctls() -> dict[str, str]:
    """The values that the cluster is going to change, of those that the kernel has now."""
    return {name: _sysctl_file(name).read_text().strip() for name in SYSCTLS if _sysctl_file(name).exists()}


def restore_sysctls(values: dict[str, str]) -> None:
    """Write back what `read_sysctls` returned."""
    for name, value in values.items():
        if _sysctl_file(name).read_text().strip() != value:
            _sysctl_file(name).write_text(value)


def has_bridge_filter() -> bool:
    """Whether the kernel can show iptables what goes over a bridge."""
    return _sysctl_file(BRIDGE_FILTER).exists()


def _filter_bridges() -> None:
    # Pods are neighbours on the bridge: without this, the answer of one behind a Service goes straight to the one that
    # asked, past the translation back to the Service's address, and is refused there.
    if not has_bridge_filter():
        run(["modprobe", "br_netfilter"])
    _sysctl_file(BRIDGE_FILTER).write_text("1")


def unload_bridge_filter() -> None:
    """Undo the loading of the module, if it came to that."""
    if has_bridge_filter():
        run(["modprobe", "--remove", "br_netfilter"])


def _sysctl_file(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def require_free_networks() -> None:
    """Raise DevClusterError if the host's own routes use the addresses of the cluster."""
    ours = [settings.POD_NETWORK, settings.SERVICE_NETWORK, ipaddress.IPv4Network(settings.NODE_ADDRESS)]
    for route in json.loads(run(["ip", "-json", "-4", "route", "show"])):
        if route["dst"] == "default":
            continue
        used = ipaddress.IPv4Network(route["dst"], strict=False)
        for network in ours:
            if used.overlaps(network):
                raise DevClusterError(
                    f"this machine has a route to {used} by {route.get('dev')}, which the dev cluster needs for itself "
                    f"({network}): remove that route or change the addresses in dev/cluster/devcluster/settings.py"
                )


def require_free_ports() -> None:
    """Raise DevClusterError if somebody else listens where the cluster is going to."""
    for user, port in settings.NODE_PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            try:
                probe.bind((settings.NODE_ADDRESS, port))
                probe.listen()
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise DevClusterError(
                    f"port {port} of {settings.NODE_ADDRESS}, which {user} needs, is taken by a process that is not "
                    f"the dev cluster's: `ss -ltnp 'sport = :{port}'` names it; end it first"
                ) from error


def require_no_other_kubernetes() -> None:
    """Raise DevClusterError if a kube-proxy that is not ours keeps its rules on this host."""
    if "\n:KUBE-" in run(["iptables-save"]):
        raise DevClusterError(
            "another Kubernetes runs on this machine (iptables has its KUBE- chains): the dev cluster would break it; "
            "use that one with PREWARM_KUBECONFIG, or a machine without one"
        )


def create_network() -> None:
    """Create the bridge of the pods with the node's address and the routes that keep everything on this machine.

    A packet to a Service or pod that exists is on its way by translation or by the pods' own route before the routes
    here matter; any other one ends on the bridge, where nobody answers.
    """
    run(["ip", "link", "add", settings.BRIDGE, "address", settings.BRIDGE_MAC, "type", "bridge"])
    # The pods' gateway comes first: the bridge plugin wants to find it before any other address.
    for address in (settings.POD_GATEWAY, f"{settings.NODE_ADDRESS}/32"):
        run(["ip", "address", "add", address, "dev", settings.BRIDGE])
    run(["ip", "link", "set", settings.BRIDGE, "up"])
    # Pods reach Services by a detour over the host, which would tell them so with every packet; the kernel counts these
    # messages against the one that says "connection refused", so a Service without pods would time out instead.
    for link in ("all", settings.BRIDGE):
        _sysctl_file(f"net.ipv4.conf.{link}.send_redirects").write_text("0")
    _filter_bridges()
    for network in (settings.SERVICE_NETWORK, settings.POD_NETWORK):
        run(["ip", "route", "add", str(network), "dev", settings.BRIDGE, "src", settings.NODE_ADDRESS])
    _let_pods_through()


def _let_pods_through() -> None:
    # Firewalls, Docker's too, drop what they do not know; kube-proxy puts its own rules before these.
    run(["iptables", "-N", PODS_CHAIN])
    run(["iptables", "-A", PODS_CHAIN, "-i", settings.BRIDGE, "-j", "ACCEPT"])
    for chain in ("INPUT", "FORWARD"):
        run(["iptables", "-I", chain, "-j", PODS_CHAIN])


def cgroup_roots() -> list[Path]:
    """The cluster's folder in every cgroup hierarchy of this host (one with cgroup v2, a dozen with v1)."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    hierarchies = {Path(target) for _, target, kind, *_ in mounts if kind in ("cgroup", "cgroup2")}
    return [hierarchy / settings.CGROUP_ROOT for hierarchy in sorted(hierarchies)]


def create_cgroups() -> None:
    """Create the kubelet's root in every hierarchy: it makes the groups below it, never this one."""
    if needed := _needed_controllers():
        (CGROUPS / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(needed)))
    for root in cgroup_roots():
        root.mkdir(exist_ok=True)
        _inherit_cpuset(root)
        _weigh(root)


def _needed_controllers() -> frozenset[str]:
    """With cgroup v2 alone the kubelet wants every controller of its root to reach our folder; empty with v1."""
    controllers = CGROUPS / "cgroup.controllers"
    return KUBELET_CONTROLLERS.intersection(controllers.read_text().split()) if controllers.exists() else frozenset()


def absent_controllers() -> tuple[str, ...]:
    """The controllers that `create_cgroups` is going to enable for all groups of the host."""
    needed = _needed_controllers()
    return tuple(sorted(needed - set((CGROUPS / "cgroup.subtree_control").read_text().split()))) if needed else ()


def disable_controllers(names: Iterable[str]) -> None:
    """Undo what `create_cgroups` did to those that `absent_controllers` returned."""
    for name in names:
        try:
            (CGROUPS / "cgroup.subtree_control").write_text(f"-{name}")
        except OSError as error:
            if error.errno != errno.EBUSY:  # somebody else uses it by now
                raise


def _weigh(root: Path) -> None:
    """Give the pods, all together, the weight of ten processes for each core.

    On a node they compete with system.slice as a whole. Here every process of the host stands beside our group with a
    weight of its own, and a single compiler would get as much as all pods.
    """
    times = 10 * (os.cpu_count() or 1)
    for name, one_process, most in (("cpu.shares", 1024, 262_144), ("cpu.weight", 100, 10_000)):  # cgroup v1, v2
        if (root / name).exists():
            (root / name).write_text(str(min(times * one_process, most)))


def _inherit_cpuset(root: Path) -> None:
    # cgroup v1's cpuset starts empty, and a process cannot enter a group without CPUs. In v2 empty means all, and the
    # hierarchy's top has no such file.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (root.parent / name).exists() and not (root / name).read_text().strip():
            (root / name).write_text((root.parent / name).read_text())
