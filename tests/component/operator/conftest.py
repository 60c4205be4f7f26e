"""The operator's process against a real API server without nodes."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from component.operator import replica
from component.operator.command_line import Commands
from component.operator.controllers import running_controllers
from component.operator.fault_proxy import FaultProxy
from component.operator.namespace import Namespace
from component.operator.replica import Replica

from devcluster.controlplane import ControlPlane
from devcluster.settings import Cache

REPOSITORY = Path(__file__).parents[3]
CRDS = REPOSITORY / "crds"


def install_crds(control_plane: ControlPlane) -> None:
    """Install our kinds and return when they are served."""
    kubectl = [Cache.from_environment().current / "kubectl", f"--kubeconfig={control_plane.kubeconfig}"]
    subprocess.run([*kubectl, "apply", "-f", CRDS], check=True, capture_output=True)
    subprocess.run([*kubectl, "wait", "--for=condition=Established", "crd", "--all"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One API server per file, since some files kill theirs."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as control_plane:
        install_crds(control_plane)
        yield control_plane


@contextmanager
def running(
    api_server: ControlPlane,
    *arguments: str,
    agent_image: str = "example.com/agent:1",
    program: tuple[str, ...] = ("-m", "prewarm_operator.cli"),
) -> Iterator[str]:
    """An operator's process that has listed everything; yields the address of its probes.

    `arguments` are added to its command line; `program` is how the interpreter is told to run it.
    """
    image = {"PREWARM_AGENT_IMAGE": agent_image}
    with replica.running(api_server.kubeconfig, "operator", *arguments, program=program, **image) as started:
        yield started.address
    assert started.process.returncode == 0


@pytest.fixture(scope="module")
def operator(api_server: ControlPlane) -> Iterator[str]:
    """A running operator; the value is the address of its probes."""
    with running(api_server) as address:
        yield address


@pytest.fixture(scope="module")
def proxy(api_server: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    """A proxy before the API server, to be told what to break."""
    with FaultProxy(api_server, tmp_path_factory.mktemp("proxy")) as started:
        yield started


@pytest.fixture(scope="module")
def proxied_operator(proxy: FaultProxy) -> Iterator[Replica]:
    """A running operator that reaches the API server through the proxy alone."""
    with replica.running(proxy.kubeconfig, "behind-the-proxy") as started:
        yield started


@pytest.fixture(scope="module")
def controllers(api_server: ControlPlane) -> Iterator[None]:
    """The controllers of Kubernetes itself."""
    with running_controllers(api_server):
        yield


@pytest.fixture
async def namespace(api_server: ControlPlane, request: pytest.FixtureRequest) -> AsyncIterator[Namespace]:
    """A namespace of the test's own."""
    async with Namespace.create(api_server, abs(hash(request.node.nodeid)) % 10**8) as created:
        yield created


@pytest.fixture
def commands(api_server: ControlPlane, namespace: Namespace) -> Commands:
    return Commands(api_server.kubeconfig, namespace.name)


@pytest.fixture
def agent() -> dict[str, Any]:
    """The smallest AgentDeployment, to be changed by tests."""
    return {
        "apiVersion": "prewarm.dev/v1alpha1",
        "kind": "AgentDeployment",
        "metadata": {"name": "support"},
        "spec": {
            "agent": {"component": {"provider": "autogen_agentchat.agents.AssistantAgent"}},
            "mode": "External",
            "replicas": 3,
            "minReplicas": 2,
        },
    }
