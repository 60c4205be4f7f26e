"""The operator on a real cluster with real pods. `make test-cluster` has started the cluster and built the images."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack

import pytest
from cluster.kube import Kube, connect
from cluster.operator_release import OperatorRelease
from cluster.sandbox import LABEL, Sandbox, start_program
from cluster.traffic import ClientPod

# What an API server answered the operator stands in its audit log, which only our own cluster lets us read.
collect_ignore = ["test_rbac.py"] if os.environ.get("PREWARM_KUBECONFIG") else []

MODEL_SERVER = """
import uvicorn
from prewarm_demo.model_server import build_app

uvicorn.run(build_app(latency_seconds=0.02), host="0.0.0.0", port=8000, access_log=False, timeout_keep_alive=90)
"""

Created = Callable[..., Sandbox]
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    """The cluster, without what an interrupted run has left."""
    with connect() as connected:
        connected.kubectl("delete", "namespace", f"--selector={LABEL}", "--wait=false")
        yield connected


@pytest.fixture(scope="session")
def operator(kube: Kube) -> OperatorRelease:
    """The operator from the freshly built image. It stays installed after the tests."""
    release = OperatorRelease(kube)
    release.install()
    release.restart()
    return release


@pytest.fixture(scope="session")
def shared(kube: Kube) -> Iterator[Sandbox]:
    """A namespace with a model server that all tests share."""
    with Sandbox.create(kube, "shared-by-tests") as sandbox:
        start_program(sandbox, "model-server", MODEL_SERVER)
        yield sandbox


@pytest.fixture(scope="session")
def client(shared: Sandbox) -> ClientPod:
    """A pod that sends requests as users in the cluster do."""
    pod = ClientPod(shared)
    pod.start()
    return pod


@pytest.fixture
def new_sandbox(
    kube: Kube, operator: OperatorRelease, shared: Sandbox, request: pytest.FixtureRequest
) -> Iterator[Created]:
    """Makes namespaces with a model API and the key for it: new_sandbox(labels={...})."""
    with ExitStack() as stack:
        made = []

        def create(labels: dict[str, str] | None = None) -> Sandbox:
            sandbox = stack.enter_context(Sandbox.create(kube, request.node.name, labels or {}))
            sandbox.provide_model_api(shared)
            made.append(sandbox)
            return sandbox

        yield create
        if request.node.stash.get(FAILED, False):
            _show(kube, operator, made)


@pytest.fixture
def sandbox(new_sandbox: Created) -> Sandbox:
    return new_sandbox()


def _show(kube: Kube, operator: OperatorRelease, sandboxes: list[Sandbox]) -> None:
    """What a person would look at first after a failure."""
    for sandbox in sandboxes:
        print(kube.kubectl("get", "pwad,deployments,pods", "-o", "wide", f"--namespace={sandbox.name}"))
        print(kube.kubectl("get", "events", "--sort-by=.metadata.creationTimestamp", f"--namespace={sandbox.name}"))
    print(operator.logs())
