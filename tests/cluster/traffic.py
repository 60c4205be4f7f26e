"""Users of an agent: a pod of the cluster that sends requests through Services (client_pod.py)."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.sandbox import Sandbox, start_program

PROGRAM = Path(__file__).with_name("client_pod.py")
PORT = 8000
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
    """The pod, which takes orders over HTTP."""

    sandbox: Sandbox

    def start(self) -> None:
        start_program(self.sandbox, NAME, PROGRAM.read_text())

    @contextmanager
    def steady(self, agent: Agent, *, service: str | None = None, rate_per_second: float = 30) -> Iterator[Traffic]:
        """Traffic that is under way when the body begins, and ends with it; through another Service of its
        namespace if one is named."""
        name = uuid.uuid4().hex
        url = _url(agent, service)
        self._wait_until_reachable(agent, url)
        self.call("POST", name, url=url, model=agent.name, rate=f"{rate_per_second:g}")
        traffic = Traffic(self, name)
        try:
            traffic.go_on(answers=1)
            yield traffic
        finally:
            traffic.stop()

    def _wait_until_reachable(self, agent: Agent, url: str) -> None:
        """kube-proxy may hear of a new Service's first ready pod a second later than we do."""
        question = {"url": url, "model": agent.name, "text": "hello"}
        eventually(f"{url} answers", lambda: self._order("GET", "/ask", question), lambda said: said["status"] == 200)

    def ask(self, agent: Agent, text: str) -> tuple[int, str]:
        """The status of the first answer, and its text: the agent's, or the error's.

        kube-proxy may take a second to send a Service's requests to pods that are Ready, and refuses them until then.
        Tests that count failures use `steady`.
        """
        question = {"url": _url(agent), "model": agent.name, "text": text}
        response = eventually(
            f"{agent.name} answers",
            lambda: self._order("GET", "/ask", question),
            lambda said: said["status"] != 0,
            seconds=10,
        )
        return response["status"], response["text"]

    def call(self, method: str, traffic: str, **parameters: str) -> Report:
        """Give the pod an order about traffic of that name."""
        return Report(**self._order(method, f"/traffic/{traffic}", parameters))

    def _order(self, method: str, resource: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        kube, namespace = self.sandbox.kube, self.sandbox.name
        response = kube.ask_pod(namespace, NAME, PORT, resource, method=method, **parameters)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer


def _url(agent: Agent, service: str | None = None) -> str:
    return f"http://{service or agent.name}.{agent.namespace}/v1/chat/completions"
