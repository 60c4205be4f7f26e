"""The programs that make an API server a cluster with one node: each a background process of the host."""

from __future__ import annotations

from pathlib import Path

from devcluster import manifests, pki, settings
from devcluster.controlplane import Endpoints
from devcluster.pki import Certificate
from devcluster.processes import Daemon

ENDPOINTS = Endpoints(settings.NODE_ADDRESS, settings.API_PORT, settings.ETCD_CLIENT_PORT, settings.ETCD_PEER_PORT)
_NODE_SUBJECT = f"/O=system:nodes/CN=system:node:{settings.NODE_NAME}"
CERTIFICATES = (
    Certificate("kubelet-server", _NODE_SUBJECT, (f"DNS:{settings.NODE_NAME}", f"IP:{settings.NODE_ADDRESS}")),
    Certificate("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
    Certificate("kubelet", _NODE_SUBJECT),
    Certificate("kube-controller-manager", "/CN=system:kube-controller-manager"),
    Certificate("kube-scheduler", "/CN=system:kube-scheduler"),
    Certificate("kube-proxy", "/CN=system:kube-proxy"),
    Certificate("coredns", "/CN=coredns"),
)
KUBECONFIGS = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns")


def api_flags(run_dir: Path) -> tuple[str, ...]:
    """What the API server must know to speak with kubelets and with extension API servers."""
    return (
        f"--kubelet-client-certificate={run_dir}/pki/kubelet-client.crt",
        f"--kubelet-client-key={run_dir}/pki/kubelet-client.key",
        f"--kubelet-certificate-authority={run_dir}/pki/ca.crt",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        "--enable-aggregator-routing=true",
        "--enable-admission-plugins=NodeRestriction",
    )


class Node:
    """The node's programs for the cluster in `run_dir`."""

    def __init__(self, run_dir: Path, cache: settings.Cache) -> None:
        self._run_dir = run_dir
        self._cache = cache
        names = ("containerd", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns")
        self._daemons = {name: Daemon(run_dir, name) for name in names}

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """All of the node's processes."""
        return tuple(self._daemons.values())

    @property
    def containerd(self) -> Daemon:
        """containerd's process."""
        return self._daemons["containerd"]

    @property
    def containerd_socket(self) -> Path:
        """Where containerd answers."""
        return self._run_dir / "containerd.sock"

    def start_containerd(self) -> None:
        """Start containerd; it needs no API server."""
        self._write("cni.conflist", "cni/net.d/10-pods.conflist")
        configuration = self._write("containerd.toml")
        self.containerd.start(["containerd", "--config", configuration])

    def start_components(self) -> None:
        """Start everything that speaks to the API server; needs its certificates."""
        for user in KUBECONFIGS:
            file = self._run_dir / "kubeconfigs" / user
            pki.write_kubeconfig(file, ENDPOINTS.server, self._run_dir / "pki", user)
        self._start_kubelet()
        self._start_controller_manager()
        self._start(
            "kube-scheduler", f"--config={self._write('kube-scheduler.yaml')}", *self._serving("kube-scheduler")
        )
        self._start("kube-proxy", f"--config={self._write('kube-proxy.yaml')}")
        self._start("coredns", f"-conf={self._write('Corefile')}")

    def _start_kubelet(self) -> None:
        self._start(
            "kubelet",
            f"--config={self._write('kubelet.yaml')}",
            f"--kubeconfig={self._run_dir}/kubeconfigs/kubelet",
            f"--root-dir={self._run_dir}/kubelet",
            f"--cert-dir={self._run_dir}/pki",
            f"--hostname-override={settings.NODE_NAME}",
            f"--node-ip={settings.NODE_ADDRESS}",
        )

    def _start_controller_manager(self) -> None:
        pki_folder = self._run_dir / "pki"
        self._start(
            "kube-controller-manager",
            f"--kubeconfig={self._run_dir}/kubeconfigs/kube-controller-manager",
            *self._serving("kube-controller-manager"),
            "--leader-elect=false",
            # The defaults of 20 requests a second would throttle a burst of pods, and benchmarks measure bursts.
            "--kube-api-qps=1000",
            "--kube-api-burst=2000",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={pki_folder}/service-accounts.key",
            f"--root-ca-file={pki_folder}/ca.crt",
            f"--cluster-signing-cert-file={pki_folder}/ca.crt",
            f"--cluster-signing-key-file={pki_folder}/ca.key",
            "--allocate-node-cidrs=true",
            f"--cluster-cidr={settings.POD_NETWORK}",
            f"--node-cidr-mask-size={settings.NODE_POD_NETWORK.prefixlen}",
            f"--service-cluster-ip-range={settings.SERVICE_NETWORK}",
            "--profiling=false",
        )

    def _serving(self, user: str) -> tuple[str, ...]:
        kubeconfig = f"{self._run_dir}/kubeconfigs/{user}"
        return (
            f"--bind-address={settings.NODE_ADDRESS}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
        )

    def _start(self, name: str, *flags: str) -> None:
        self._daemons[name].start([self._cache.current / name, *flags])

    def _write(self, manifest: str, target: str | None = None) -> Path:
        file = self._run_dir / (target or f"config/{manifest}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(manifests.render(manifest, self._run_dir, containerd_root=self._cache.containerd))
        return file
