"""etcd and the API server: half of the full cluster, and alone enough for tests that need no pods.

    with ControlPlane(tmp_path) as control_plane:
        use(control_plane.kubeconfig)

Alone it binds to 127.0.0.1 on free ports and needs no root, so several can run beside each other and beside the full
cluster. Nothing but these two runs: a Deployment makes no pods, no pod is scheduled, a deleted namespace stays.
"""

from __future__ import annotations

import errno
import random
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from devcluster import manifests, pki, settings
from devcluster.apiclient import ApiClient
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.pki import Certificate
from devcluster.processes import Daemon, stop_all

READY_TIMEOUT_SECONDS = 60.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Endpoints:
    """Where the two listen."""

    address: str
    api_port: int
    etcd_client_port: int
    etcd_peer_port: int

    @classmethod
    def free_on_loopback(cls) -> Endpoints:
        """Ports nobody listens on right now."""
        sockets = [listen_on_free_port() for _ in range(3)]
        ports = [bound.getsockname()[1] for bound in sockets]
        for bound in sockets:
            bound.close()
        return cls(LOOPBACK, *ports)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.address}:{self.api_port}"


def listen_on_free_port() -> socket.socket:
    """A socket on a port of 127.0.0.1 that the kernel gives to no outgoing connection.

    Closed, it leaves the port free until the server that is to have it starts, and starts again.
    """
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        try:
            return socket.create_server((LOOPBACK, random.randrange(10_000, max(first_outgoing, 20_000))))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


class ControlPlane:
    """etcd and the API server of the cluster in `run_dir`.

    `programs` is the folder of their binaries (default: the cache's). `certificates` and `api_flags` are what the full
    cluster needs beyond these two.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        endpoints: Endpoints | None = None,
        programs: Path | None = None,
        certificates: tuple[Certificate, ...] = (),
        api_flags: tuple[str, ...] = (),
    ) -> None:
        self.run_dir = run_dir.absolute()
        self.endpoints = endpoints or Endpoints.free_on_loopback()
        self.kubeconfig = self.run_dir / "kubeconfigs" / "admin"
        self.audit_log = self.run_dir / "audit.log"
        self.pki = self.run_dir / "pki"
        self.etcd = Daemon(self.run_dir, "etcd")
        self.api_server = Daemon(self.run_dir, "kube-apiserver")
        self._programs = programs or settings.Cache.from_environment().current
        self._certificates = certificates
        self._api_flags = api_flags or STANDALONE_API_FLAGS

    def __enter__(self) -> ControlPlane:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start both with empty data and return when the API server is ready and carries the marker."""
        try:
            self.launch()
            self.wait_ready()
            run([self._programs / "kubectl", f"--kubeconfig={self.kubeconfig}", "create", "-f",
                 manifests.FOLDER / "marker.yaml"])  # fmt: skip
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start both with empty data, without waiting."""
        self._remove_data()
        self.etcd.start(self._etcd_command())
        pki.create(self.pki, (*self._own_certificates(), *self._certificates))
        pki.write_kubeconfig(self.kubeconfig, self.endpoints.server, self.pki, "admin")
        self.start_api_server()

    def wait_ready(self) -> None:
        """Return when the API server is ready; raises DevClusterError if a process ends or 60 seconds pass."""
        client = ApiClient(self.endpoints.address, self.endpoints.api_port, self.pki)
        wait_for("the API server is ready", client.ready, (self.etcd, self.api_server))

    def start_api_server(self) -> None:
        """Start the API server, also again after `kill_api_server`: port, certificates and data are as before."""
        self.api_server.start(self._api_server_command())

    def kill_api_server(self) -> None:
        """End the API server with SIGKILL, as a crash does; etcd keeps the data."""
        stop_all([self.api_server], grace_seconds=0)

    def pause_api_server(self) -> None:
        """Stop the API server from running: connections stay open and nothing is answered."""
        self.api_server.send(signal.SIGSTOP)

    def resume_api_server(self) -> None:
        """Undo `pause_api_server`."""
        self.api_server.send(signal.SIGCONT)

    def stop(self) -> None:
        """End both at once, since nothing of their data is kept, and remove data and certificates; logs stay."""
        stop_all([self.api_server, self.etcd], grace_seconds=0)
        self._remove_data()

    def _remove_data(self) -> None:
        for folder in ("etcd/data", "pki", "kubeconfigs"):
            shutil.rmtree(self.run_dir / folder, ignore_errors=True)
        for log in self.run_dir.glob("audit*.log"):
            log.unlink()

    def _own_certificates(self) -> tuple[Certificate, ...]:
        names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
        addresses = {self.endpoints.address, LOOPBACK, settings.API_SERVICE_ADDRESS}
        alternatives = tuple([f"DNS:{name}" for name in names] + [f"IP:{address}" for address in sorted(addresses)])
        return (
            Certificate("apiserver", "/CN=kube-apiserver", alternatives),
            Certificate("admin", "/O=system:masters/CN=kubernetes-admin"),
            Certificate("front-proxy-client", "/CN=front-proxy-client", authority=pki.FRONT_PROXY_CA),
        )

    def _etcd_command(self) -> list[str | Path]:
        client = f"http://{self.endpoints.address}:{self.endpoints.etcd_client_port}"
        peer = f"http://{self.endpoints.address}:{self.endpoints.etcd_peer_port}"
        data = self.run_dir / "etcd" / "data"
        data.mkdir(parents=True, mode=0o700)
        return [
            self._programs / "etcd",
            "--name=dev",
            f"--data-dir={data}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=dev={peer}",
            "--auto-compaction-retention=1h",
            "--watch-progress-notify-interval=5s",
            "--unsafe-no-fsync",  # the data never outlives the process
            "--log-level=warn",
        ]

    def _api_server_command(self) -> list[str | Path]:
        (self.run_dir / "audit-policy.yaml").write_text(manifests.render("audit-policy.yaml", self.run_dir))
        return [
            self._programs / "kube-apiserver",
            f"--etcd-servers=http://{self.endpoints.address}:{self.endpoints.etcd_client_port}",
            f"--bind-address={self.endpoints.address}",
            f"--advertise-address={self.endpoints.address}",
            f"--secure-port={self.endpoints.api_port}",
            f"--service-cluster-ip-range={settings.SERVICE_NETWORK}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={self.pki}/service-accounts.key",
            f"--service-account-signing-key-file={self.pki}/service-accounts.key",
            f"--client-ca-file={self.pki}/ca.crt",
            f"--tls-cert-file={self.pki}/apiserver.crt",
            f"--tls-private-key-file={self.pki}/apiserver.key",
            f"--requestheader-client-ca-file={self.pki}/front-proxy-ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={self.pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={self.pki}/front-proxy-client.key",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            "--event-ttl=30m",
            "--profiling=false",
            f"--audit-policy-file={self.run_dir}/audit-policy.yaml",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-maxsize=64",
            "--audit-log-maxbackup=1",
            *self._api_flags,
        ]


# No controller-manager makes service accounts here, and a loopback address cannot be an endpoint of a Service.
STANDALONE_API_FLAGS = ("--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none")


def wait_for(what: str, condition: Callable[[], bool], daemons: tuple[Daemon, ...]) -> None:
    """Return when `condition` holds; raises DevClusterError if one of `daemons` ends or 60 seconds pass before."""
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while not condition():
        for daemon in daemons:
            daemon.require_running()
        if time.monotonic() > deadline:
            logs = ", ".join(str(daemon.log_file) for daemon in daemons)
            raise DevClusterError(f"it did not come true within {READY_TIMEOUT_SECONDS:.0f} s that {what}; see {logs}")
        time.sleep(0.05)
