"""Users of an agent: a pod of the cluster that sends requests through Services (client_pod.py)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.kube import Kube, Object

IMAGE = "localhost/prewarm-demo:dev"
PROGRAM = Path(__file__).with_name("client_pod.py")
PORT = 9000
NAME = "client"


@dataclass(frozen=True)
class Report:
    """What became of the requests so far. `outcomes` counts them, `failures` describes those that were not ok."""

    elapsed_seconds: float
    outcomes: dict[str, int]
    failures: list[dict[str, Any]]

    @property
    def answered(self) -> int:
        return self.outcomes.get("ok", 0)

    @property
    def failed(self) -> int:
        return sum(self.outcomes.values()) - self.answered


class Traffic:
    """Steady requests to one URL, under way."""

    def __init__(self, client: "ClientPod", name: str) -> None:
        self._client = client
        self._name = name
        self._last: Report | None = None

    def report(self) -> Report:
        """What became of the requests; once stopped, of all of them."""
        return self._last or self._client.call("GET", self._name)

    def stop(self) -> Report:
        if self._last is None:
            self._last = self._client.call("DELETE", self._name)
        return self._last

    def go_on(self, *, answers: int) -> None:
        """Return when that many more answers have come."""
        wanted = self.report().answered + answers
        eventually(f"{answers} more answers", self.report, lambda report: report.answered >= wanted, seconds=30)

    def assert_nothing_failed(self) -> None:
        """Every request so far must have been answered."""
        report = self.report()
        assert report.failed == 0, report


@dataclass(frozen=True)
class ClientPod:
    kube: Kube
    namespace: str

    def start(self) -> None:
        """Create the pod and wait until it takes orders."""
        self.kube.apply(_manifest(self.namespace))
        self.kube.kubectl(
            "wait", "--for=condition=Ready", f"pod/{NAME}", f"--namespace={self.namespace}", "--timeout=120s"
        )

    @contextmanager
    def steady(self, agent: Agent, *, service: str | None = None, rate_per_second: float = 30) -> Iterator[Traffic]:
        """Traffic that is under way when the body begins, and ends with it; through another Service of its
        namespace if one is named."""
        name = uuid.uuid4().hex
        url = _url(agent, service)
        self.call("POST", name, url=url, model=agent.name, rate=f"{rate_per_second:g}")
        traffic = Traffic(self, name)
        try:
            traffic.go_on(answers=1)
            yield traffic
        finally:
            traffic.stop()

    def ask(self, agent: Agent, text: str) -> tuple[int, str]:
        """The status of one request, and its text: the agent's, or the error's."""
        question = {"url": _url(agent), "model": agent.name, "text": text}
        response = self.kube.ask_pod(self.namespace, NAME, PORT, "/ask", **question).raise_for_status()
        return response.json()["status"], response.json()["text"]

    def call(self, method: str, traffic: str, **parameters: str) -> Report:
        """Give the pod an order about traffic of that name."""
        resource = f"/traffic/{traffic}"
        response = self.kube.ask_pod(self.namespace, NAME, PORT, resource, method=method, **parameters)
        return Report(**response.raise_for_status().json())


def _url(agent: Agent, service: str | None = None) -> str:
    return f"http://{service or agent.name}.{agent.namespace}/v1/chat/completions"


def _manifest(namespace: str) -> Object:
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", PROGRAM.read_text()],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        # A large share of the CPU, of which it needs little: nothing may fail because the users were slow.
        "resources": {"requests": {"cpu": "200m", "memory": "64Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }
