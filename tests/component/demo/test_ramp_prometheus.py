"""The Prometheus of act 2, a real one: what the operator asks it for is the history that was put into it."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from prewarm_demo.errors import DemoError
from prewarm_demo.ramp import openmetrics
from prewarm_demo.ramp.prometheus import SCRAPE_SECONDS, prometheus
from prewarm_operator.signals.promql import history

HOURS = 3


class Cluster:
    """An API server of one node and one pod, which says how busy it is at 127.0.0.1."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def json(self, path: str) -> Any:
        if "/pods" in path:
            return {"items": [pod("ramp-1", "127.0.0.1"), pod("ramp-2", None)]}
        addresses = [{"type": "Hostname", "address": "x"}, {"type": "InternalIP", "address": self._address}]
        return {"items": [{"status": {"addresses": addresses}}]}


def pod(name: str, address: str | None) -> dict[str, Any]:
    metadata = {"namespace": "demo", "name": name, "labels": {"prewarm.dev/agent": "ramp"}}
    return {"metadata": metadata, "status": {"podIP": address} if address else {}}


async def test_the_operators_question_is_answered_with_the_history() -> None:
    end = int(time.time())
    in_flight = [number % 7 for number in range(HOURS * 3600 // SCRAPE_SECONDS)]
    text = openmetrics.text(
        in_flight, namespace="demo", agent="ramp", end_epoch_seconds=end, scrape_seconds=SCRAPE_SECONDS
    )
    begin = end - (len(in_flight) - 1) * SCRAPE_SECONDS

    async with prometheus(Cluster("127.0.0.1"), "demo", text) as url, httpx2.AsyncClient() as client:  # type: ignore[arg-type]
        question = {"query": history([("demo", "ramp")]), "start": begin, "end": end, "step": SCRAPE_SECONDS}
        answer = (await client.get(f"{url}/api/v1/query_range", params=question)).json()

    (series,) = answer["data"]["result"]
    assert series["metric"] == {"namespace": "demo", "agent": "ramp"}
    assert [float(value) for _, value in series["values"]] == in_flight


async def test_a_cluster_elsewhere_is_told_in_a_sentence() -> None:
    with pytest.raises(DemoError, match=r"no node of the cluster is this machine \(192\.0\.2\.1\)"):
        async with prometheus(Cluster("192.0.2.1"), "demo", ""):  # type: ignore[arg-type]
            pass


async def test_a_history_that_is_none_ends_the_act_with_what_promtool_says() -> None:
    with pytest.raises(DemoError, match=r"create-blocks-from openmetrics .*failed"):
        async with prometheus(Cluster("127.0.0.1"), "demo", "nonsense"):  # type: ignore[arg-type]
            pass


async def test_every_pod_with_an_address_is_scraped_under_its_agents_name() -> None:
    text = openmetrics.text([1], namespace="demo", agent="ramp", end_epoch_seconds=1, scrape_seconds=15)
    async with prometheus(Cluster("127.0.0.1"), "demo", text) as url, httpx2.AsyncClient() as client:  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            while not (found := (await client.get(f"{url}/api/v1/targets")).json()["data"]["activeTargets"]):
                await asyncio.sleep(0.2)

    (target,) = found
    assert target["scrapeUrl"] == "http://127.0.0.1:8081/metrics"
    assert {name: target["labels"][name] for name in ("namespace", "agent")} == {"namespace": "demo", "agent": "ramp"}
