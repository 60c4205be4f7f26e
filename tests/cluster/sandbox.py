"""A namespace of a test's own, with what agents need: a model API and the key for it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cluster.agents import Agent, spec
from cluster.kube import Kube, Object

IMAGE = "localhost/prewarm-demo:dev"
LABEL = "prewarm.dev/test"


@dataclass(frozen=True)
class Sandbox:
    """The namespace `name`. Deleting it takes everything in it along."""

    kube: Kube
    name: str

    @classmethod
    @contextmanager
    def create(cls, kube: Kube, purpose: str, labels: Mapping[str, str] = {}) -> Iterator[Sandbox]:
        """Nobody waits for its end: pods of one test drain while the next one runs."""
        readable = re.sub("[^a-z0-9]+", "-", purpose.lower()).strip("-")[:40]
        name = f"{readable}-{uuid.uuid4().hex[:6]}"
        metadata = {"name": name, "labels": {LABEL: "true", **labels}}
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        try:
            yield cls(kube, name)
        finally:
            kube.http.delete(f"/api/v1/namespaces/{name}").raise_for_status()

    def provide_model_api(self, models: Sandbox) -> None:
        """A Service called model-server, which leads to the one in `models`, and the Secret model-api."""
        secret = {"kind": "Secret", "stringData": {"api-key": "the-model-server-asks-for-none"}}
        service = {"kind": "Service", "spec": {"type": "ExternalName", "externalName": host(models)}}
        self.apply({**secret, "metadata": {"name": "model-api"}}, {**service, "metadata": {"name": "model-server"}})

    def apply(self, *manifests: Object) -> None:
        """Apply manifests to the namespace; those of the core API may leave out their apiVersion."""
        self.kube.apply(
            *({"apiVersion": "v1", **m, "metadata": {**m["metadata"], "namespace": self.name}} for m in manifests)
        )

    def agent(self, name: str = "support", **fields: object) -> Agent:
        """A new AgentDeployment: a good spec of two small pods with fields changed."""
        kind = {"apiVersion": "prewarm.dev/v1alpha1", "kind": "AgentDeployment"}
        self.apply({**kind, "metadata": {"name": name}, "spec": spec(**fields)})
        return Agent(self.kube, self.name, name)


def host(models: Sandbox) -> str:
    """Where the model server of that namespace is, from everywhere in the cluster."""
    return f"model-server.{models.name}.svc.cluster.local"


def start_program(sandbox: Sandbox, name: str, program: str) -> None:
    """A Python program on the demo's image that serves HTTP on port 8000, behind a Service; returns when it does."""
    labels = {"app": name}
    container = {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", program],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
        # A large share of the CPU, of which it needs little: nothing may fail because the surroundings are slow.
        "resources": {"requests": {"cpu": "200m", "memory": "64Mi"}},
    }
    pod_spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    ports = [{"port": 80, "targetPort": 8000}]
    sandbox.apply(
        {"kind": "Service", "metadata": {"name": name}, "spec": {"selector": labels, "ports": ports}},
        {"kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": pod_spec},
    )
    ready = ("--for=condition=Ready", f"--namespace={sandbox.name}", "--timeout=120s")
    sandbox.kube.kubectl("wait", f"pod/{name}", *ready)
