"""The cluster under test: kubectl and helm as people use them, HTTP as programs do."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from devcluster.settings import REPOSITORY, Cache

Object = dict[str, Any]

COLLECTIONS = {
    "agentdeployments": "/apis/prewarm.dev/v1alpha1",
    "deployments": "/apis/apps/v1",
    "configmaps": "/api/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "events": "/apis/events.k8s.io/v1",
    "pods": "/api/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "services": "/api/v1",
}


@dataclass(frozen=True)
class Kube:
    """Commands run in the root of the repository. `http` speaks to the API server as administrator."""

    kubeconfig: Path
    http: httpx.Client

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints. Fails with what it complained of."""
        return _run([program("kubectl"), *arguments], self.kubeconfig, stdin)

    def helm(self, *arguments: str) -> str:
        """What helm prints. Fails with what it complained of."""
        return _run([program("helm"), *arguments], self.kubeconfig, None)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object, or None where there is none."""
        response = self.http.get(path(plural, namespace, name))
        if response.status_code == 404:
            return None
        found: Object = response.raise_for_status().json()
        return found

    def list(self, plural: str, namespace: str, selector: str = "") -> list[Object]:
        response = self.http.get(path(plural, namespace), params={"labelSelector": selector})
        items: list[Object] = response.raise_for_status().json()["items"]
        return items

    def merge(self, plural: str, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """A JSON merge patch."""
        content_type = {"Content-Type": "application/merge-patch+json"}
        self.http.patch(path(plural, namespace, name), json=patch, headers=content_type).raise_for_status()

    def delete(self, plural: str, namespace: str, name: str) -> None:
        self.http.delete(path(plural, namespace, name)).raise_for_status()

    def ask_pod(
        self, namespace: str, pod: str, port: int, resource: str, *, method: str = "GET", **parameters: str
    ) -> httpx.Response:
        """What a pod answers, whatever its status, by way of the API server."""
        where = f"{path('pods', namespace, f'{pod}:{port}')}/proxy{resource}"
        return self.http.request(method, where, params=parameters)


def path(plural: str, namespace: str, name: str = "") -> str:
    return f"{COLLECTIONS[plural]}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


@contextmanager
def connect() -> Iterator[Kube]:
    """The running dev cluster, or the one that PREWARM_KUBECONFIG names. Fails unless it may be used for tests."""
    _devcluster("status")  # also where the cluster's marker is looked for
    kubeconfig = Path(_devcluster("kubeconfig").strip())
    with tempfile.TemporaryDirectory(prefix="prewarm-tests-") as folder:
        socket = f"{folder}/api.sock"
        command = [program("kubectl"), f"--kubeconfig={kubeconfig}", "proxy", f"--unix-socket={socket}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as proxy:
            try:
                assert proxy.stdout is not None
                assert proxy.stdout.readline(), "kubectl proxy did not start"
                transport = httpx.HTTPTransport(uds=socket)
                with httpx.Client(base_url="http://localhost", transport=transport, timeout=20) as http:
                    yield Kube(kubeconfig, http)
            finally:
                proxy.terminate()


def program(name: str) -> str:
    """kubectl or helm: the dev cluster's, else the one on the PATH."""
    found = shutil.which(name, path=f"{Cache.from_environment().current}{os.pathsep}{os.environ.get('PATH', '')}")
    assert found is not None, f"{name} is neither in the cache nor on the PATH: run `make cluster-up`"
    return found


def _devcluster(command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "dev" / "cluster")}
    ended = subprocess.run(
        [sys.executable, "-m", "devcluster", command], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{ended.stdout}{ended.stderr}Run `make cluster-up` first."
    return ended.stdout


def _run(command: list[str], kubeconfig: Path, stdin: str | None) -> str:
    ended = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, f"{' '.join(command)}: {ended.stderr}"
    return ended.stdout
