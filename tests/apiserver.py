"""A real API server for tests, and the two ways to talk to it: kubectl as people do, HTTP as programs do."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from devcluster.controlplane import ControlPlane
from devcluster.settings import Cache

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class ApiServer:
    """etcd and an API server without nodes: objects are stored and checked, no pod ever runs."""

    kubeconfig: Path
    http: httpx.Client
    """Authenticated as administrator; paths such as /api/v1/namespaces are enough."""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end and return it, whatever its exit code."""
        command = [str(Cache.from_environment().current / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )


@contextmanager
def start(folder: Path) -> Iterator[ApiServer]:
    """An API server of its own with empty data, on free ports of the loopback address; gone on exit."""
    with ControlPlane(folder) as control_plane:
        tls = ssl.create_default_context(cafile=str(control_plane.pki / "ca.crt"))
        tls.load_cert_chain(control_plane.pki / "admin.crt", control_plane.pki / "admin.key")
        with httpx.Client(base_url=control_plane.endpoints.server, verify=tls, timeout=TIMEOUT_SECONDS) as http:
            yield ApiServer(control_plane.kubeconfig, http)
