from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from devcluster.controlplane import listen_on_free_port
from prewarm_operator import metrics
from prewarm_operator.control import probes


@asynccontextmanager
async def served(fault: str | None = None, is_ready: bool = True) -> AsyncIterator[int]:
    with listen_on_free_port() as free:
        port = free.getsockname()[1]
    async with probes.serve(port, lambda: fault, lambda: is_ready):
        yield port


async def get(url: str) -> tuple[int, str]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(url)
    return answer.status_code, answer.text


async def test_livez_tells_what_is_stuck() -> None:
    async with served(fault="the event loop lags by 12 s") as port:
        assert await get(f"http://127.0.0.1:{port}/livez") == (503, "the event loop lags by 12 s\n")


async def test_livez_does_not_depend_on_readiness() -> None:
    async with served(is_ready=False) as port:
        assert await get(f"http://127.0.0.1:{port}/livez") == (200, "ok\n")
        assert await get(f"http://127.0.0.1:{port}/readyz") == (503, "not all kinds are listed\n")


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
async def test_probes_are_reachable_on_both_families(address: str) -> None:
    async with served() as port:
        assert await get(f"http://{address}:{port}/readyz") == (200, "ok\n")


async def test_metrics_are_what_prometheus_reads() -> None:
    async with served() as port:
        status, text = await get(f"http://127.0.0.1:{port}/metrics")
    assert status == 200
    assert metrics.QUEUE_DEPTH.describe()[0].name in text
    assert "# TYPE prewarm_operator_leader gauge" in text
