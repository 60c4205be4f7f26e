"""The load generator as a pod of the cluster, followed through its log."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Protocol

from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import PodObserver
from prewarm_demo.errors import DemoError
from prewarm_demo.load.records import Record, decode
from prewarm_demo.narrator import Narrator

IMAGE = "localhost/prewarm-demo:dev"


class Plan(Protocol):
    """What load to make, as arguments of its program."""

    def args(self, url: str) -> list[str]: ...


@dataclass(frozen=True)
class LoadPlan:
    """How much load. Two runs of one plan send the same requests at the same times."""

    rate_per_second: float
    requests: int
    seed: int
    clients: int = 8
    timeout_seconds: float = 10.0

    def args(self, url: str) -> list[str]:
        return [
            "prewarm_demo.load",
            f"--url={url}",
            f"--rate={self.rate_per_second:g}",
            f"--count={self.requests}",
            f"--seed={self.seed}",
            f"--clients={self.clients}",
            f"--timeout-seconds={self.timeout_seconds:g}",
        ]


@dataclass(frozen=True)
class Progress:
    """The latest line of progress; rates and percentiles are of the last five seconds."""

    elapsed_seconds: float = 0.0
    sent: int = 0
    failed: int = 0
    answered_per_second: float = 0.0
    p99_seconds: float | None = None


class LoadPod:
    """One run of a plan. `follow` must run for the others to learn anything."""

    def __init__(self, commands: Commands, namespace: str, name: str) -> None:
        self._commands = commands
        self._namespace = namespace
        self._name = name
        self._received_seconds = 0.0
        self._chunks: list[str] = []
        self._advanced = asyncio.Event()
        self._records: list[Record] | None = None
        self.progress = Progress()
        self.cpu_seconds = 0.0

    async def start(self, plan: Plan, url: str) -> None:
        """Create the pod and wait until it runs."""
        manifest = json.dumps(self._manifest(plan.args(url)))
        await self._commands.kubectl("apply", "--filename=-", f"--namespace={self._namespace}", stdin=manifest)
        await self._commands.kubectl(
            *("wait", "--for=condition=Ready", f"pod/{self._name}", f"--namespace={self._namespace}", "--timeout=60s")
        )

    async def follow(self) -> None:
        """Read the log to its end. Raises DemoError if the generator ended without its results."""
        async for line in self._commands.follow(
            *("logs", "--follow", f"pod/{self._name}", f"--namespace={self._namespace}")
        ):
            self._take(line)
        if self._records is None:
            raise DemoError(f"the load generator ended early; see `kubectl logs {self._name} -n {self._namespace}`.")

    async def show(self, narrator: Narrator, title: str, pods: PodObserver) -> None:
        """Keep the live line up to date until cancelled."""
        while True:
            now = self.progress
            p99 = "-" if now.p99_seconds is None else f"{now.p99_seconds * 1000:.0f} ms"
            narrator.live(
                f"{title}: {now.elapsed_seconds:3.0f} s · {now.answered_per_second:.0f} answers/s · "
                f"{now.failed} failed · p99 {p99} · {len(pods.serving)} pods ready"
            )
            await asyncio.sleep(1)

    async def until(self, elapsed_seconds: float) -> None:
        """Wait until the load has run for that long by its own clock, or is over."""
        while self.elapsed_seconds() < elapsed_seconds and self._records is None:
            self._advanced.clear()
            await self._advanced.wait()

    def elapsed_seconds(self) -> float:
        """The load's own clock, carried on from its latest line. 0 before the first."""
        if not self._received_seconds:
            return 0.0
        return self.progress.elapsed_seconds + time.monotonic() - self._received_seconds

    @property
    def over(self) -> bool:
        return self._records is not None

    @property
    def records(self) -> list[Record]:
        assert self._records is not None, "follow() has not ended"
        return self._records

    def _take(self, line: str) -> None:
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError:
            raise DemoError(f"the load generator said: {line}") from None
        if "progress" in message:
            self.progress = Progress(**message["progress"])
            self._received_seconds = time.monotonic()
        elif "table" in message:
            self._chunks.append(message["table"])
        elif "done" in message:
            self._records = decode(self._chunks)
            self.cpu_seconds = message["done"]["cpu_seconds"]
        self._advanced.set()

    def _manifest(self, args: list[str]) -> dict[str, Any]:
        # A large share of the CPU, of which it needs a tenth: the agents are measured, not the measuring.
        requests = {"cpu": "250m", "memory": "64Mi"}
        container = {
            "name": "load",
            "image": IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "args": args,
            "resources": {"requests": requests},
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self._name},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
            },
        }
