"""The controllers of Kubernetes itself, without nodes: ReplicaSets make pods, and no pod ever runs."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane
from devcluster.processes import Daemon, stop_all
from devcluster.settings import Cache

Object = dict[str, Any]

CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
)


@contextmanager
def running(api_server: ControlPlane, program: str, *flags: str) -> Iterator[None]:
    """A program of the control plane with an administrator's rights, while the context lasts."""
    config = api_server.kubeconfig
    daemon = Daemon(api_server.run_dir, program)
    daemon.start(
        [
            Cache.from_environment().current / program,
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--leader-elect=false",
            "--secure-port=0",
            *flags,
        ]
    )
    try:
        yield
    finally:
        stop_all([daemon], grace_seconds=0)


@contextmanager
def running_controllers(api_server: ControlPlane) -> Iterator[None]:
    """They work on all namespaces while the context lasts."""
    with running(api_server, "kube-controller-manager", f"--controllers={','.join(CONTROLLERS)}"):
        yield


def kubectl(api_server: ControlPlane, namespace: Namespace, *arguments: str) -> str:
    """Run kubectl in the namespace and return what it printed; raises subprocess.CalledProcessError if it fails."""
    program = Cache.from_environment().current / "kubectl"
    command = [program, f"--kubeconfig={api_server.kubeconfig}", f"--namespace={namespace.name}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


async def rolled_out(namespace: Namespace, agent: Object) -> Object:
    """The child Deployment once the operator has nothing more to write and its pods are made."""
    if not any(item["metadata"]["name"] == "support" for item in await namespace.list("agentdeployments")):
        await namespace.create_object("agentdeployments", agent)

    def settled(found: Object) -> bool:
        managers = {(entry["manager"], entry["operation"]) for entry in found["metadata"]["managedFields"]}
        counted = found.get("status", {}).get("updatedReplicas") == found["spec"]["replicas"]
        return ("prewarm", "Update") not in managers and counted

    found = await namespace.eventually("deployments", "support", settled)
    await namespace.eventually("agentdeployments", "support", lambda agent: "revision" in agent.get("status", {}))
    return found


async def pods_of(namespace: Namespace) -> dict[str, Object]:
    return {pod["metadata"]["name"]: pod for pod in await namespace.list("pods")}
