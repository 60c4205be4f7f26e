"""What pods and the host reach on the dev cluster, and what nobody reaches."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from devcluster import settings
from devcluster.cluster import Cluster
from devcluster.commands import run
from devcluster.images import IMAGES, select

NAMESPACE = "devcluster-network"
IMAGE = select(["prewarm-demo"], IMAGES)[-1].reference  # any image that holds Python
SERVER = "import http.server as h; h.ThreadingHTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"
UNUSED_SERVICE_ADDRESS = str(settings.SERVICE_NETWORK[77 * 256 + 77])
UNUSED_POD_ADDRESS = str(settings.POD_NETWORK[9 * 256 + 9])

MANIFEST = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "server", "namespace": NAMESPACE, "labels": {"app": "server"}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {
                            "name": "server",
                            "image": IMAGE,
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["python", "-c", SERVER],
                            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
                        }
                    ],
                },
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web", "namespace": NAMESPACE},
                "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "without-pods", "namespace": NAMESPACE},
                "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
            },
        ],
    }
)


def _kubectl(*words: str, stdin: str | None = None) -> str:
    cache = settings.Cache.from_environment()
    return run([cache.current / "kubectl", f"--kubeconfig={Cluster(cache).kubeconfig}", *words], stdin=stdin)


@pytest.fixture(scope="module")
def service_address() -> Iterator[str]:
    """A Service with one pod behind it, both of this file alone."""
    _kubectl("apply", "-f", "-", stdin=MANIFEST)
    _kubectl("wait", "--namespace", NAMESPACE, "pod/server", "--for=condition=Ready", "--timeout=60s")
    yield _kubectl("get", "--namespace", NAMESPACE, "service/web", "--output=jsonpath={.spec.clusterIP}")
    _kubectl("delete", "namespace", NAMESPACE)


def _in_pod(expression: str) -> str:
    script = f"import socket, urllib.request\ntry: print({expression})\nexcept OSError as error: print(repr(error))"
    return _kubectl("exec", "--namespace", NAMESPACE, "server", "--", "python", "-c", script)


def _eventually(answer: Callable[[], str], expected: str) -> None:
    deadline = time.monotonic() + 30  # kube-proxy writes its rules at most once a second
    while expected not in (got := answer()):
        assert time.monotonic() < deadline, got
        time.sleep(0.2)


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return str(response.status)
    except OSError as error:
        return repr(error)


def test_the_host_reaches_a_service(service_address: str) -> None:
    _eventually(lambda: _get(f"http://{service_address}/"), "200")


def test_a_pod_reaches_a_service_by_name(service_address: str) -> None:
    _eventually(lambda: _in_pod("urllib.request.urlopen('http://web/', timeout=5).status"), "200")


def test_a_service_without_pods_refuses_a_pod(service_address: str) -> None:
    attempts = [_in_pod("socket.create_connection(('without-pods', 80), 2)") for _ in range(3)]
    assert ["refused" in attempt for attempt in attempts] == [True, True, True], attempts


def test_a_pod_reaches_the_api_server(service_address: str) -> None:
    address = settings.API_SERVICE_ADDRESS
    assert "raddr" in _in_pod(f"socket.create_connection(({address!r}, 443), 5)")


@pytest.mark.parametrize("address", [UNUSED_SERVICE_ADDRESS, UNUSED_POD_ADDRESS])
def test_an_address_that_nobody_has_stays_on_this_machine(service_address: str, address: str) -> None:
    (route,) = json.loads(run(["ip", "-json", "route", "get", address]))
    assert route["dev"] == settings.BRIDGE
    with pytest.raises(OSError, match=r"No route to host|timed out"):
        socket.create_connection((address, 80), timeout=10)


def test_a_pod_has_no_way_out_of_the_cluster(service_address: str) -> None:
    documentation_address = "203.0.113.1"
    assert "Network is unreachable" in _in_pod(f"socket.create_connection(({documentation_address!r}, 80), 5)")


def test_names_outside_the_cluster_do_not_exist(service_address: str) -> None:
    assert "Name or service not known" in _in_pod("socket.gethostbyname('example.com')")


def test_the_kubelet_serves_logs_and_the_port_without_authentication_is_closed(service_address: str) -> None:
    assert "GET /" in _kubectl("logs", "--namespace", NAMESPACE, "server")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((settings.NODE_ADDRESS, 10255), timeout=5)


def test_status_says_healthy_with_exit_code_0(service_address: str) -> None:
    status = subprocess.run(
        ["python3", "-m", "devcluster", "status"],
        check=False,
        capture_output=True,
        text=True,
        cwd=settings.REPOSITORY / "dev" / "cluster",
    )
    assert (status.returncode, "healthy" in status.stdout) == (0, True)
