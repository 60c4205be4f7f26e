"""Prometheus as a source of load, from a question to the child Deployment. The test plays kubelet and pods."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from component.operator import replica
from component.operator.namespace import Namespace, condition
from component.operator.prometheus_faults import FAST, FakePrometheus, fake_prometheus
from component.operator.test_pods import make_pod, revision
from component.operator.test_scaling import replicas
from component.signals.prometheus_server import MetricsPod, prometheus, target, with_metrics

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
NOBODY = "127.0.77.1"
QUESTIONS = "prewarm_operator_prometheus_questions_total"


def scaled(agent: Agent, query: str | None = None, name: str = "support") -> Agent:
    spec = {"mode": "Auto", "minReplicas": 1, "maxReplicas": 8, "concurrencyLimit": 10, "targetConcurrency": 10}
    scaling = {} if query is None else {"scaling": {"prometheus": {"query": query}}}
    return {**agent, "metadata": {"name": name}, "spec": {**agent["spec"], **spec, **scaling}}


def asking(api_server: ControlPlane, address: str, **environment: str) -> Any:
    """A running operator whose Prometheus is at this address, with ticks of a second."""
    return replica.running(
        api_server.kubeconfig, "asking", program=("-c", FAST), PREWARM_PROMETHEUS_URL=address, **environment
    )


async def foreign_pod(namespace: Namespace, name: str) -> None:
    """A Ready pod without a load stream: nobody listens at its address."""
    await make_pod(namespace, name, await revision(namespace))
    status = {"phase": "Running", "podIP": NOBODY, "conditions": [{"type": "Ready", "status": "True"}]}
    await namespace.merge("pods", name, {"status": status}, "status")


async def told(namespace: Namespace, words: str, name: str = "support", seconds: float = 30.0) -> Agent:
    """The agent once its condition ScalingActive says so."""
    return await namespace.eventually(
        "agentdeployments", name, lambda found: words in condition(found, "ScalingActive").get("message", ""), seconds
    )


async def term(namespace: Namespace, name: str, reason: str, seconds: float = 30.0) -> Agent:
    def has(found: Agent) -> bool:
        terms = found.get("status", {}).get("scaling", {}).get("terms", ())
        return any((term["name"], term["reason"]) == (name, reason) for term in terms)

    return await namespace.eventually("agentdeployments", "support", has, seconds)


async def count(namespace: Namespace) -> int:
    return int((await namespace.get("deployments", "support"))["spec"]["replicas"])


@asynccontextmanager
async def scraped(folder: Path, namespace: Namespace, *pods: MetricsPod) -> AsyncIterator[str]:
    """A real Prometheus that scrapes these pods of the agent."""
    async with AsyncExitStack() as stack:
        served = [await stack.enter_async_context(with_metrics(pod)) for pod in pods]
        targets = [target(pod.target, "support", namespace.name) for pod in served]
        yield await stack.enter_async_context(prometheus(folder, targets))


async def test_prometheus_knows_the_load_of_pods_without_a_stream_until_it_goes_away_at_peak(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    pod, other = MetricsPod("support", in_flight=10, queued=2), MetricsPod("support", in_flight=9)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(scraped(tmp_path, namespace, pod, other))
        with asking(api_server, address) as operator:
            await namespace.create_object("agentdeployments", scaled(agent))
            for name in ("support-1", "support-2"):
                await foreign_pod(namespace, name)
            await replicas(namespace, 3, most=8)
            await term(namespace, "forecast", "LoadForecast")  # so history and present are known, without a stream
            other.broken = True  # a scrape lost from one pod at peak
            await told(namespace, "Prometheus has samples of 1 of 2 Ready pods")
            peak = await count(namespace)
            assert peak >= 3
            await stack.aclose()
            await told(namespace, "is silent, and Prometheus cannot be asked")
            await term(namespace, "prometheus", "PrometheusUnavailable")
            await asyncio.sleep(3)
            assert await count(namespace) == peak
            assert operator.metric(QUESTIONS, about="fleet", outcome="unavailable") > 0
            assert operator.metric(QUESTIONS, about="fleet", outcome="ok") > 0
            assert operator.metric("prewarm_operator_hindered_agents", reason="LoadUnknown") == 1


FAULTS: dict[str, tuple[Callable[[FakePrometheus], None], str, str]] = {
    "NaN": (lambda fake: fake.says("NaN"), "says nan", "query"),
    "Inf": (lambda fake: fake.says("+Inf"), "says inf", "query"),
    "negative": (lambda fake: fake.says("-3"), "says -3", "query"),
    "text": (lambda fake: fake.says("many"), "says nan", "query"),
    "1e308": (lambda fake: fake.says("1e308"), "says 1e+308", "query"),
    "nothing": (lambda fake: fake.gives([]), "gives no series", "query"),
    "two series": (
        lambda fake: fake.gives([{"metric": {"pod": p}, "value": [time.time(), "1"]} for p in "ab"]),
        "gives 2 series where one is needed",
        "query",
    ),
    "an old time": (lambda fake: fake.says("1", -3600), "answers for a time more than 45 s ago", "unusable"),
    "a future time": (lambda fake: fake.says("1", 3600), "answers for a time more than 45 s ahead", "unusable"),
    "no JSON": (lambda fake: fake.fails(200, b"<html>Sign in"), "answers no JSON: <html>Sign in", "unusable"),
    "no tenant": (lambda fake: fake.fails(401, b"no org id"), "answers 401: no org id", "refused"),
    "agent mode": (
        lambda fake: fake.fails(400, b'{"status":"error","error":"unavailable with Prometheus Agent"}'),
        "answers 400: unavailable with Prometheus Agent",
        "no_queries",
    ),
    "an error": (lambda fake: fake.fails(503, b"overloaded"), "answers 503: overloaded", "unavailable"),
    "slow": (lambda fake: setattr(fake, "hangs", True), "gives no answer within 5 s", "slow"),
}


async def test_whatever_prometheus_answers_no_pod_is_taken_away(
    api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    async with fake_prometheus() as fake:
        fake.says("30")
        with asking(api_server, fake.address) as operator:
            await namespace.create_object("agentdeployments", scaled(agent, "sum(x)"))
            await foreign_pod(namespace, "support-1")
            await replicas(namespace, 3, most=8)
            for name, (answer, words, outcome) in FAULTS.items():
                before = operator.metric(QUESTIONS, about="own_query", outcome=outcome)
                answer(fake)
                found = await told(namespace, f"the own query to Prometheus {words}")
                assert condition(found, "ScalingActive")["status"] == "False", name
                assert operator.metric(QUESTIONS, about="own_query", outcome=outcome) > before, name
                assert 3 <= await count(namespace) <= 8, name
                fake.says("30")
                await told(namespace, "the number of pods follows the AgentDeployment")
            fake.says("70")
            await replicas(namespace, 7, most=8)


async def test_a_query_that_changes_its_mind_every_tick_moves_nothing(
    api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    """kedacore/keda 4249: valid, invalid, valid, ..."""
    async with fake_prometheus() as fake:
        fake.says("50")
        with asking(api_server, fake.address):
            await namespace.create_object("agentdeployments", scaled(agent, "sum(x)"))
            await foreign_pod(namespace, "support-1")
            await replicas(namespace, 5, most=8)
            await asyncio.sleep(2)
            settled, seen = await count(namespace), set()
            for tick in range(12):
                fake.says("50" if tick % 2 else "NaN")
                await asyncio.sleep(1)
                seen.add(await count(namespace))
            assert min(seen) >= 5
            assert len(seen | {settled}) <= 2  # a forecast may still raise it


async def test_one_broken_query_among_a_hundred_breaks_nothing_else(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    async with prometheus(tmp_path, []) as address:
        with asking(api_server, address):
            names = [f"works-{number}" for number in range(99)]
            await namespace.create_object("agentdeployments", scaled(agent, "sum(", "broken"))
            for name in names:
                await namespace.create_object("agentdeployments", scaled(agent, "vector(30)", name))
            for name in names:
                await namespace.eventually("deployments", name, lambda found: found["spec"]["replicas"] >= 3, 60)
            found = await told(namespace, "the own query to Prometheus answers 400:", "broken")
            assert "parse error" in condition(found, "ScalingActive")["message"]
            assert (await namespace.get("deployments", "broken"))["spec"]["replicas"] == 1


async def test_an_operator_restarted_at_peak_keeps_the_pods_and_knows_the_past_from_prometheus(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    pod = MetricsPod("support", in_flight=35)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(scraped(tmp_path, namespace, pod))
        with asking(api_server, address):
            await namespace.create_object("agentdeployments", scaled(agent))
            await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": 100}})
            await foreign_pod(namespace, "support-1")
            await replicas(namespace, 1, most=8)
            await namespace.merge("agentdeployments", "support", {"spec": {"minReplicas": 4}})
            await replicas(namespace, 4, most=8)
            await namespace.merge("agentdeployments", "support", {"spec": {"minReplicas": 1}})
            await term(namespace, "forecast", "LoadForecast")
        pod.broken = True  # from now on the past is all there is
        peak = await count(namespace)
        await asyncio.sleep(5)
        # The status must be written anew, or it would still be that of the process before.
        await namespace.merge("agentdeployments", "support", {"spec": {"maxReplicas": 7}})
        with asking(api_server, address) as operator:
            await namespace.eventually(
                "agentdeployments",
                "support",
                lambda found: (
                    found["status"]["observedGeneration"] == found["metadata"]["generation"]
                    and any(term["reason"] == "LoadForecast" for term in found["status"]["scaling"]["terms"])
                ),
                30,
            )
            assert operator.metric(QUESTIONS, about="history", outcome="ok") > 0
            assert await count(namespace) == peak


async def test_an_operator_restarted_at_peak_without_prometheus_keeps_the_pods_and_what_it_learned(
    api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    async with fake_prometheus() as fake:
        fake.says("35")
        with asking(api_server, fake.address, PREWARM_NAMESPACE=namespace.name):
            await namespace.create_object("agentdeployments", scaled(agent, "sum(x)"))
            await foreign_pod(namespace, "support-1")
            await replicas(namespace, 4, most=8)
            await term(namespace, "forecast", "LoadForecast")
            await namespace.eventually("configmaps", "prewarm-forecast-0", lambda found: "binaryData" in found)
            await asyncio.sleep(3)
    peak = await count(namespace)
    with asking(api_server, "http://127.0.0.1:9", PREWARM_NAMESPACE=namespace.name):
        await told(namespace, "cannot be asked")
        await term(namespace, "forecast", "LoadForecast")
        assert await count(namespace) == peak
