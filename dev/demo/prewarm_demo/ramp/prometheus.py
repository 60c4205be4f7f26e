"""A Prometheus on this machine with a back-filled history, which scrapes the agents' pods."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from prewarm_demo.cluster.access import Access
from prewarm_demo.cluster.api import Api
from prewarm_demo.errors import DemoError

SCRAPE_SECONDS = 15
START_SECONDS = 30.0


@contextlib.asynccontextmanager
async def prometheus(access: Access, api: Api, namespace: str, history: str) -> AsyncIterator[str]:
    """The address, for pods, of a Prometheus that has `history` (OpenMetrics) and scrapes the pods of a namespace."""
    address = await _address(api)
    with tempfile.TemporaryDirectory(prefix="prewarm-demo-") as name:
        folder = Path(name)
        (folder / "history.om").write_text(history)
        (folder / "prometheus.yaml").write_text(json.dumps(_configuration(access, namespace)))
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
            yield f"http://{address}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _configuration(access: Access, namespace: str) -> dict[str, Any]:
    """As the chart's PodMonitor: the port `probes` of every agent's pod, with the labels namespace and agent."""
    label = "__meta_kubernetes_pod_label_prewarm_dev_agent"
    discovery = {
        "role": "pod",
        "kubeconfig_file": str(access.kubeconfig),
        "namespaces": {"names": [namespace]},
    }
    relabel = [
        {"source_labels": [label], "regex": ".+", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "probes", "action": "keep"},
        {"source_labels": [label], "target_label": "agent"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
    ]
    return {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "scrape_timeout": "5s"},
        "scrape_configs": [
            {"job_name": "agents", "kubernetes_sd_configs": [discovery], "relabel_configs": relabel},
        ],
    }


async def _address(api: Api) -> str:
    """A free port of this machine that pods reach: this machine must be a node of the cluster."""
    nodes = (await api.json("/api/v1/nodes"))["items"]
    addresses = [a["address"] for node in nodes for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
    for address in addresses:
        with contextlib.suppress(OSError), socket.create_server((address, 0)) as server:
            return f"{address}:{server.getsockname()[1]}"
    raise DemoError(
        f"no node of the cluster is this machine ({', '.join(addresses)}), so pods cannot reach the Prometheus that "
        "act 2 starts here; run it on the dev cluster, or run only `make demo ACT=1`."
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
