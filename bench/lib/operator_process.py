"""The operator's process on an API server of its own, and what it costs."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from lib.process import Process

from devcluster.controlplane import ControlPlane, listen_on_free_port

START_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class OperatorProcess(Process):
    """A running operator."""

    address: str

    async def reconciles(self) -> int:
        """Reconciles that have ended, however they ended."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{self.address}/metrics")).text
        return int(
            sum(
                float(value)
                for value in re.findall(r"^prewarm_operator_reconciles_total\{.*\} (.*)$", text, re.MULTILINE)
            )
        )


@asynccontextmanager
async def running(control_plane: ControlPlane, log: Path) -> AsyncIterator[OperatorProcess]:
    """An operator that has listed everything."""
    with listen_on_free_port() as free:
        port = free.getsockname()[1]
    environment = os.environ | {"KUBECONFIG": str(control_plane.kubeconfig), "PREWARM_AGENT_IMAGE": "example.com/a:1"}
    command = [sys.executable, "-m", "prewarm_operator.cli", f"--port={port}"]
    with log.open("wb") as output, subprocess.Popen(command, env=environment, stderr=output) as process:
        try:
            operator = OperatorProcess(process.pid, f"http://127.0.0.1:{port}")
            await _until_ready(operator, process)
            yield operator
        finally:
            process.terminate()
            process.wait(30)


async def _until_ready(operator: OperatorProcess, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    async with httpx.AsyncClient() as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await http.get(f"{operator.address}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise SystemExit("the operator did not become ready; see its log")
