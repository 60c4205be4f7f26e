"""A Prometheus on this machine with a back-filled history, which scrapes the agents' pods."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx2

from prewarm_demo.cluster.agent_metrics import PORT
from prewarm_demo.cluster.api import Api
from prewarm_demo.errors import DemoError, NotOnThisCluster
from prewarm_demo.trial.side import beside

SCRAPE_SECONDS = 15
START_SECONDS = 30.0
TARGETS = "targets.json"
CONFIGURATION = {
    "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "scrape_timeout": "5s"},
    "scrape_configs": [{"job_name": "agents", "file_sd_configs": [{"files": [TARGETS]}]}],
}


@contextlib.asynccontextmanager
async def prometheus(api: Api, namespace: str, history: str) -> AsyncIterator[str]:
    """The address, for pods, of a Prometheus that has `history` (OpenMetrics) and scrapes the pods of a namespace."""
    address = await _address(api)
    with tempfile.TemporaryDirectory(prefix="prewarm-demo-") as name:
        folder = Path(name)
        (folder / "history.om").write_text(history)
        (folder / "prometheus.yaml").write_text(json.dumps(CONFIGURATION))
        await _run(_program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "history.om", "data", cwd=folder)
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                _program("prometheus"),
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
                stderr=log,
            )
        try:
            await _until_ready(process, folder / "log")
            async with beside(_tell_targets(api, namespace, folder / TARGETS)):
                yield f"http://{address}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _tell_targets(api: Api, namespace: str, file: Path) -> None:
    """Keep the file of targets up to date: Debian's Prometheus is built without the discovery of Kubernetes."""
    path = f"/api/v1/namespaces/{namespace}/pods?labelSelector=prewarm.dev/agent"
    while True:
        with contextlib.suppress(httpx2.HTTPError):
            pods = (await api.json(path))["items"]
            new = file.with_suffix(".new")
            new.write_text(json.dumps(targets(pods)))
            new.replace(file)
        await asyncio.sleep(SCRAPE_SECONDS / 3)


def targets(pods: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As the chart's PodMonitor has them: the probes' port of each pod, with the labels namespace and agent."""
    return [
        {
            "targets": [f"{pod['status']['podIP']}:{PORT}"],
            "labels": {
                "namespace": pod["metadata"]["namespace"],
                "agent": pod["metadata"]["labels"]["prewarm.dev/agent"],
                "pod": pod["metadata"]["name"],
            },
        }
        for pod in pods
        if pod["status"].get("podIP")
    ]


async def _address(api: Api) -> str:
    """A free port of this machine that pods reach: this machine must be a node of the cluster."""
    nodes = (await api.json("/api/v1/nodes"))["items"]
    addresses = [a["address"] for node in nodes for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
    for address in addresses:
        with contextlib.suppress(OSError), socket.create_server((address, 0)) as server:
            return f"{address}:{server.getsockname()[1]}"
    raise NotOnThisCluster(
        f"no node of the cluster is this machine ({', '.join(addresses)}), so pods cannot reach the Prometheus that "
        "act 2 starts here; run it on the dev cluster."
    )


async def _until_ready(process: asyncio.subprocess.Process, log: Path) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                if "Server is ready" in _said(log):
                    return
                await asyncio.sleep(0.1)
    raise DemoError(f"Prometheus did not start; it said: {_said(log)[-500:]}")


def _said(log: Path) -> str:
    return log.read_text()


async def _run(*command: str | Path, cwd: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise DemoError(f"`{' '.join(map(str, command))}` failed: {output.decode()[-500:]}")


def _program(name: str) -> Path:
    """What `make prometheus` took out of Debian's package."""
    path = Path(os.environ.get("PREWARM_CACHE") or Path.home() / ".cache" / "prewarm") / "bin" / name
    if not path.exists():
        raise DemoError(f"{path}: not found; run `make prometheus`, which takes it out of Debian's package.")
    return path
