"""A real Prometheus, and pods whose `/metrics` it scrapes."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from component.web_server import serving

from devcluster.settings import Cache

SCRAPE_SECONDS = 0.2


@dataclass
class MetricsPod:
    """A pod with the runtime's metrics; its attributes may change at any time.

    Attributes:
        labels: of its own, as in a page of metrics.
        broken: answers 500, as a pod that is too busy.
        scrapes: so many there were; it has refused as many requests because it drains, which are no load.
    """

    agent: str
    namespace: str = "team"
    in_flight: float = 0
    queued: float = 0
    rejected: float = 0
    ready: int = 1
    draining: int = 0
    labels: str = ""
    broken: bool = False
    scrapes: int = field(default=0, init=False)
    target: str = field(default="", init=False)

    async def metrics(self, request: web.Request) -> web.Response:
        self.scrapes += 1
        if self.broken:
            return web.Response(status=500)
        samples = {"requests_in_flight": self.in_flight, "requests_queued": self.queued, "ready": self.ready}
        samples["draining"] = self.draining
        lines = [f"prewarm_agent_{name}{self.labels} {value}" for name, value in samples.items()]
        lines.append(f'prewarm_agent_requests_rejected_total{{reason="overloaded"}} {self.rejected}')
        lines.append(f'prewarm_agent_requests_rejected_total{{reason="draining"}} {self.scrapes}')
        return web.Response(text="\n".join([*lines, ""]))


@asynccontextmanager
async def with_metrics(pod: MetricsPod) -> AsyncIterator[MetricsPod]:
    application = web.Application()
    application.router.add_get("/metrics", pod.metrics)
    async with serving(application) as address:
        pod.target = address
        yield pod


def target(address: str, agent: str, namespace: str) -> dict[str, Any]:
    """As the chart's PodMonitor has it: the labels are those of the target."""
    return {"targets": [address], "labels": {"namespace": namespace, "agent": agent}}


@asynccontextmanager
async def prometheus(
    folder: Path, targets: list[Mapping[str, Any]], web_config: Mapping[str, Any] | None = None
) -> AsyncIterator[str]:
    """Gives the address of a Prometheus that listens. It begins to scrape after five seconds."""
    interval = f"{SCRAPE_SECONDS * 1000:.0f}ms"
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [{"job_name": "agents", "static_configs": list(targets)}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    (folder / "web.yaml").write_text(yaml.safe_dump(dict(web_config or {})))
    address = f"127.0.0.1:{_free_port()}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                Cache.from_environment().programs / "prometheus",
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--web.config.file={folder / 'web.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stderr=log,
        )
    try:
        async with asyncio.timeout(30):
            while b"Server is ready" not in (folder / "log").read_bytes():
                assert process.poll() is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield f"{'https' if web_config else 'http'}://{address}"
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
