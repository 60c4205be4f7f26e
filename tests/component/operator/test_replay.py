"""One recorded hour through the operator and through the simulator: the verdicts are equal, tick by tick.

The operator's own parts, from the load streams over real HTTP to the child Deployment on a real API server, under a
clock that the test sets. The test plays kubelet and pods. It works the queue off at the end of each tick, since a
record knows no time within one; the operator would not wait for it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from component.operator.load_server import LoadServer
from component.operator.namespace import Namespace
from component.operator.test_pods import make_pod
from kubernetes.aio.config import kube_config

from devcluster.controlplane import ControlPlane
from prewarm_operator.apply.events import Recorder
from prewarm_operator.apply.executor import Executor
from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.control import scaler as scaler_module
from prewarm_operator.control.controller import Controller
from prewarm_operator.control.leader import Unopposed
from prewarm_operator.control.scaler import Scaler
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.model import Verdict
from prewarm_operator.kube.client import connect
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, PODS
from prewarm_operator.simulate.comparison import DEFAULT_COLD_SHARE, Question
from prewarm_operator.simulate.forecasts import forecasts
from prewarm_operator.simulate.pods import run
from prewarm_operator.simulate.prewarm import Prewarm
from prewarm_operator.simulate.record import Record, read
from prewarm_operator.world.cache import Cache, EventType, Key
from prewarm_operator.world.reader import Reader
from prewarm_operator.world.scaling import History
from prewarm_operator.world.world import World

HOUR = Path(__file__).parent / "hour.csv"
START_SECONDS, LIMIT, LOW, HIGH, PODS_THAT_SERVE = 45.0, 10, 1, 8, 4


class Seen(NamedTuple):
    """A term of a decision without its words, which name the source of the load."""

    name: str
    reason: str
    replicas: int | None
    until_seconds: float | None


@pytest.fixture(scope="module")
def record() -> Record:
    with HOUR.open(encoding="utf-8") as lines:
        return read(lines, HOUR.name)


@dataclass
class Clock:
    """Seconds of the simulator; the record begins at zero."""

    begins_epoch_seconds: float
    seconds: float = -START_SECONDS

    def __call__(self) -> float:
        return self.seconds

    def epoch(self) -> float:
        return self.begins_epoch_seconds + self.seconds


@dataclass
class Operator:
    """The operator's parts without its watches: the test hands over what it has changed."""

    key: Key
    clock: Clock
    world: World
    scaler: Scaler
    controller: Controller
    marked: set[Key]
    due: float | None = None

    def observe(self, resource: Any, event: EventType, body: dict[str, Any]) -> None:
        self.world.observe(resource, event, body, self.clock())
        self.scaler.look(self.key)

    async def reconcile(self) -> None:
        """As a worker does, with what the queue holds and what it had put off until now."""
        self.marked.clear()
        again_after = await self.controller.reconcile(self.key)
        self.due = None if again_after is None else self.clock() + again_after

    async def tick(self) -> bool:
        """The end of a tick; returns whether the agent was reconciled."""
        self.scaler.tick(self.clock(), self.clock.epoch())
        is_due = self.key in self.marked or (self.due is not None and self.due <= self.clock())
        if is_due:
            await self.reconcile()
        return is_due


@dataclass
class Pods:
    """Ready pods, and what they tell of a load that they share."""

    servers: list[LoadServer] = field(default_factory=list)

    async def tell(self, load: int, operator: Operator) -> None:
        """What they do not work on they have refused. Returns when the operator has heard all of them."""
        for server in self.servers:
            in_flight = min(LIMIT, load)
            refused = min(2 * LIMIT, load - in_flight)
            load -= in_flight + refused
            server.tell(in_flight=in_flight, queued=0, refused=refused)
        assert load == 0, "more than the operator believes of so many pods"
        async with asyncio.timeout(10):
            while not self._heard(operator):
                await asyncio.sleep(0.005)

    def _heard(self, operator: Operator) -> bool:
        heard = operator.scaler._streams.heard(operator.key)
        told = sorted((server.report["in_flight"], server.report["refused"]) for server in self.servers)
        lines = [line.load for line in heard.values() if line.at_seconds == operator.clock()]
        return sorted((load.in_flight, load.refused) for load in lines) == told


@pytest.fixture
async def operator(
    api_server: ControlPlane, namespace: Namespace, record: Record, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Operator]:
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(api_server.kubeconfig))
    clock, marked = Clock(record.begins_epoch_seconds), set[Key]()
    world = World(Cache(), "example.com/agent:1", clock, clock.epoch)
    async with connect("replay") as client:
        gateway = Gateway(client, Unopposed().write_seconds)
        reader = Reader(client, world.cache, (namespace.name,), clock.epoch)
        controller = Controller(
            world,
            Executor(gateway, reader, world),
            gateway,
            Recorder(gateway, clock),
            lambda: datetime.fromtimestamp(clock.epoch(), UTC),
            clock,
        )
        scaler = Scaler(world, lambda key, _after_seconds: marked.add(key), clock, clock.epoch)
        yield Operator(Key(namespace.name, "support"), clock, world, scaler, controller, marked)
        await scaler._streams.close()


@pytest.fixture
async def pods(operator: Operator, namespace: Namespace, agent: dict[str, Any]) -> AsyncIterator[Pods]:
    """Pods of an agent in mode Auto; they took START_SECONDS to be Ready, and the record begins."""
    agent["spec"] |= {"mode": "External", "replicas": 1, "minReplicas": LOW, "maxReplicas": HIGH}
    agent["spec"] |= {"concurrencyLimit": LIMIT}
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    await namespace.create_object("agentdeployments", agent)
    operator.observe(AGENT_DEPLOYMENTS, "ADDED", await namespace.get("agentdeployments", "support"))
    await operator.reconcile()
    revision = (await namespace.get("agentdeployments", "support"))["status"]["revision"]
    names = [f"support-{number}" for number in range(PODS_THAT_SERVE)]
    for name in names:
        await make_pod(namespace, name, revision)
        operator.observe(PODS, "ADDED", await namespace.get("pods", name))
    await namespace.merge("agentdeployments", "support", {"spec": {"mode": "Auto"}})
    operator.observe(AGENT_DEPLOYMENTS, "MODIFIED", await namespace.get("agentdeployments", "support"))
    operator.clock.seconds = 0.0
    async with AsyncExitStack() as stack:
        told = Pods()
        for name in names:
            server = await stack.enter_async_context(LoadServer.running())
            told.servers.append(server)
            ready = {"podIP": server.address, "conditions": [{"type": "Ready", "status": "True"}]}
            await namespace.merge("pods", name, {"status": {"phase": "Running", **ready}}, "status")
            operator.observe(PODS, "MODIFIED", await namespace.get("pods", name))
        yield told


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """What the operator's scaler decides, also where nothing is to be done."""
    decided: list[Verdict] = []

    def noted(*arguments: Any) -> tuple[Verdict, History]:
        verdict, history = verdict_for(*arguments)
        decided.append(verdict)
        return verdict, history

    monkeypatch.setattr(scaler_module, "verdict_for", noted)
    return decided


def simulated(record: Record) -> Iterator[Verdict]:
    """The verdict of each tick after the first."""
    demand = record.demand(service_seconds=1.0).tolist()
    question = Question(demand, record.begins_epoch_seconds, START_SECONDS, LIMIT, LOW, HIGH)
    setting = (START_SECONDS, DEFAULT_COLD_SHARE)
    made = forecasts(demand, [setting], record.begins_epoch_seconds)[setting]
    prewarm = Prewarm(demand, question.policy, made, (), record.begins_epoch_seconds)
    verdicts: list[Verdict] = []

    def ask(tick: int, total: int, _ready: int) -> int:
        verdicts.append(prewarm.decide(tick, total))
        return verdicts[-1].replicas

    run(demand, LIMIT, START_SECONDS, ask, minimum=LOW)
    yield from verdicts


async def test_an_hour_in_the_operator_is_the_same_hour_in_the_simulator(
    operator: Operator, namespace: Namespace, pods: Pods, record: Record, verdicts: list[Verdict]
) -> None:
    decided_by = set()
    for tick, expected in enumerate(simulated(record), 1):
        await pods.tell(round(record.values[tick - 1]), operator)
        operator.clock.seconds = tick * TICK_SECONDS
        reconciled = await operator.tick()
        found = verdicts[-1]
        where = f"tick {tick}: {found} in the operator, {expected} in the simulator"
        assert found.replicas == expected.replicas, where
        assert found.decided_by.reason == expected.decided_by.reason, where
        assert seen(found) == seen(expected), where
        deployment = await namespace.get("deployments", "support")
        status = (await namespace.get("agentdeployments", "support"))["status"]
        assert deployment["spec"]["replicas"] == status["desiredReplicas"] == expected.replicas, where
        if reconciled:
            assert status["scaling"]["reason"] == expected.decided_by.reason, where
            told = [(term["name"], term["reason"]) for term in status["scaling"]["terms"]]
            assert told == [(term.name, term.reason) for term in expected.terms], where
        decided_by.add(expected.decided_by.reason)
    assert tick == 239
    assert {"LoadNow", "LoadForecast", "Stabilizing", "Paced", "LoweredToMaximum"} <= decided_by


def seen(verdict: Verdict) -> list[Seen]:
    return [Seen(term.name, term.reason, term.replicas, term.until_seconds) for term in verdict.terms]
