"""The controllers of Kubernetes itself, without nodes: ReplicaSets make pods, and no pod ever runs."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane
from devcluster.processes import Daemon, stop_all
from devcluster.settings import Cache

CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
)


@contextmanager
def running_controllers(api_server: ControlPlane) -> Iterator[None]:
    """They work on all namespaces while the context lasts."""
    config = api_server.kubeconfig
    controllers = Daemon(api_server.run_dir, "kube-controller-manager")
    controllers.start(
        [
            Cache.from_environment().current / "kube-controller-manager",
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--controllers={','.join(CONTROLLERS)}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
    )
    try:
        yield
    finally:
        stop_all([controllers], grace_seconds=0)


def kubectl(api_server: ControlPlane, namespace: Namespace, *arguments: str) -> str:
    """Run kubectl in the namespace and return what it printed; raises subprocess.CalledProcessError if it fails."""
    program = Cache.from_environment().current / "kubectl"
    command = [program, f"--kubeconfig={api_server.kubeconfig}", f"--namespace={namespace.name}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
