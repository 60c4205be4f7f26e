"""Every metric of the operator moves when what it tells about happens."""

import asyncio
import time
from pathlib import Path
from typing import Any

import metrics_page
from component.operator import replica
from component.operator.fault_proxy import FaultProxy, Request
from component.operator.namespace import Namespace
from component.operator.replica import Replica

from devcluster.controlplane import ControlPlane
from prewarm_operator import metrics
from prewarm_operator.settings import WORKERS

Agent = dict[str, Any]


async def warm_one_pod(namespace: Namespace) -> None:
    found = await namespace.eventually(
        "agentdeployments", "support", lambda agent: "revision" in agent.get("status", {})
    )
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    labels = {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}
    labels["prewarm.dev/revision"] = found["status"]["revision"]
    pod = {"metadata": {"name": "one", "labels": labels}, "spec": {"containers": [{"name": "agent", "image": "x"}]}}
    await namespace.create_object("pods", pod)
    await asyncio.sleep(1)
    await namespace.merge("pods", "one", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "status")


NOBODY = "http://127.0.0.1:9"
"""An address at which no Prometheus listens."""


async def moves(operator: Replica, name: str, above: float, **labels: str) -> None:
    async with asyncio.timeout(35):  # a tick takes 15 s
        while operator.metric(name, **labels) <= above:
            await asyncio.sleep(0.1)


async def test_every_metric_moves_when_what_it_tells_about_happens(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    def makes_a_service(request: Request) -> bool:
        return request.method == "POST" and request.path.endswith("/services")

    prefix = "prewarm_operator_"
    seen = set()
    with (
        FaultProxy(api_server, tmp_path) as proxy,
        replica.running(
            proxy.kubeconfig, "alone", PREWARM_NAMESPACE=namespace.name, PREWARM_PROMETHEUS_URL=NOBODY
        ) as operator,
    ):

        async def expect(name: str, sample: str = "", above: float = 0, **labels: str) -> None:
            await moves(operator, f"{prefix}{sample or name}", above, **labels)
            seen.add(f"{prefix}{name}")

        await expect("leader")
        await expect("last_resync_timestamp_seconds", above=time.time() - 60)
        await namespace.create_object("agentdeployments", agent)
        await warm_one_pod(namespace)
        await expect("created_to_ready_seconds", "created_to_ready_seconds_sum", above=0.9)
        await expect("agent_deployments", ready="False")
        await expect("reconciles_total", outcome="done")
        await expect("reconcile_duration_seconds", "reconcile_duration_seconds_count")
        await expect("api_requests_total", verb="POST", code="201")
        await expect("api_request_duration_seconds", "api_request_duration_seconds_count", verb="PATCH")
        await expect("event_loop_lag_seconds", "event_loop_lag_seconds_count")
        await namespace.merge("agentdeployments", "support", {"spec": {"mode": "Auto"}})
        await expect("hindered_agents", reason="LoadUnknown")
        await expect("prometheus_questions_total", about="fleet", outcome="unavailable")
        await expect("forecast_duration_seconds", "forecast_duration_seconds_count", above=1)
        proxy.send_error(500)
        await expect("watch_restarts_total")
        with proxy.holding_answers(makes_a_service):
            for number in range(WORKERS + 2):
                await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": f"waits-{number}"}})
            await expect("queue_depth")
        with proxy.answering(503, makes_a_service):
            await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": "refused"}})
            await expect("reconciles_total", outcome="retry")
            await expect("api_requests_total", code="503")
        assert seen == set(metrics_page.declared(metrics))
