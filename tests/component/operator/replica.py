"""One process of the operator, as its pod would run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from devcluster.controlplane import listen_on_free_port

SOURCE = Path(__file__).parents[3] / "operator" / "src"
PROGRAM = ("-m", "prewarm_operator.cli")


@dataclass(frozen=True)
class Replica:
    """A running operator: `address` is that of its probes, `name` is what the audit log calls it."""

    name: str
    address: str
    process: subprocess.Popen[bytes]

    def is_ready(self) -> bool:
        return self._status("readyz") == 200

    def is_alive(self) -> bool:
        return self._status("livez") == 200

    def is_leading(self) -> bool:
        return self.is_ready() and self.metric("prewarm_operator_leader") == 1

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that carry these labels."""
        families = text_string_to_metric_families(httpx.get(f"{self.address}/metrics").text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def _status(self, path: str) -> int:
        try:
            return httpx.get(f"{self.address}/{path}", timeout=2).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def start(
    kubeconfig: Path, name: str, *flags: str, program: Sequence[str] = PROGRAM, **environment: str
) -> Iterator[Replica]:
    """Start a replica without waiting for anything.

    `program` is how the interpreter is told to run it; `environment` is added to what every replica needs.
    """
    with listen_on_free_port() as free:
        port = free.getsockname()[1]
    needed = {
        "KUBECONFIG": str(kubeconfig),
        "PREWARM_AGENT_IMAGE": "example.com/agent:1",
        "PREWARM_POD_NAME": name,
        "PYTHONPATH": str(SOURCE),
    }
    command = [sys.executable, *program, f"--port={port}", *flags]
    with subprocess.Popen(command, env=os.environ | needed | environment) as process:
        try:
            yield Replica(name, f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@contextmanager
def running(
    kubeconfig: Path, name: str, *flags: str, program: Sequence[str] = PROGRAM, **environment: str
) -> Iterator[Replica]:
    """Start a replica and wait until it has listed everything."""
    with start(kubeconfig, name, *flags, program=program, **environment) as replica:
        deadline = time.monotonic() + 30
        while not replica.is_ready():
            assert replica.process.poll() is None, "the operator ended"
            assert time.monotonic() < deadline, "the operator did not become ready in 30 s"
            time.sleep(0.05)
        yield replica
