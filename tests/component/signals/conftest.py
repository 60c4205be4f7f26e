"""One Prometheus for each file that needs one, in the event loop of the file: it scrapes nothing for five seconds."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer, model_server
from component.agent.specs import assistant, spec
from component.signals.prometheus_server import MetricsPod, prometheus, target, with_metrics

from prewarm_operator.signals.prometheus import Prometheus
from prewarm_operator.signals.server import Server

PODS = {
    "one": MetricsPod("support"),
    "two": MetricsPod("support"),
    "namesake": MetricsPod("support", namespace="other"),
    "refusing": MetricsPod("refusing"),
    "liar": MetricsPod("liar", labels='{agent="support",namespace="team"}'),
}


@dataclass
class Scraped:
    """What a Prometheus scrapes: a real agent, `team/real`, and pods whose metrics a test sets."""

    address: str
    agent: AgentProcess
    model: ModelServer
    pods: dict[str, MetricsPod]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything_scraped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scraped]:
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(model_server())
        agent = await stack.enter_async_context(running(spec(assistant(model.url), concurrencyLimit=2)))
        await agent.warm()
        pods = {name: await stack.enter_async_context(with_metrics(replace(pod))) for name, pod in PODS.items()}
        targets = [target(pod.target, pod.agent, pod.namespace) for pod in pods.values()]
        targets.append(target(f"127.0.0.1:{agent.probe_port}", "real", "team"))
        folder = tmp_path_factory.mktemp("prometheus")
        yield Scraped(await stack.enter_async_context(prometheus(folder, targets)), agent, model, pods)


@pytest.fixture
def scraped(everything_scraped: Scraped) -> Scraped:
    """The same with idle pods."""
    for name, pod in everything_scraped.pods.items():
        idle = replace(PODS[name])
        idle.target, idle.scrapes = pod.target, pod.scrapes
        vars(pod).update(vars(idle))
    return everything_scraped


@pytest_asyncio.fixture(loop_scope="module")
async def client(scraped: Scraped) -> AsyncIterator[Prometheus]:
    prometheus = Prometheus(Server(scraped.address))
    yield prometheus
    await prometheus.close()
