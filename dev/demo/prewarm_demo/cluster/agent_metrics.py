"""What agent pods say about themselves on their metrics port, read through the API server until each of them ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from prewarm_demo.cluster.api import Api
from prewarm_demo.cluster.pods import Pod, PodObserver

INTERVAL_SECONDS = 1.0
PORT = 8081


@dataclass(frozen=True)
class Reading:
    """One scrape of one pod."""

    warm: bool
    built: dict[str, float]  # resources built so far, by kind
    phases: dict[str, float]  # seconds of each startup phase, in the order they ran
    in_flight: float


@dataclass
class PodReadings:
    """The first reading of a pod that said it was warm, and the latest one."""

    first: Reading
    last: Reading
    count: int = field(default=1)

    @property
    def built_after_warm(self) -> float:
        kinds = self.first.built.keys() | self.last.built.keys()
        return sum(self.last.built.get(kind, 0) - self.first.built.get(kind, 0) for kind in kinds)


def parse(text: str) -> Reading:
    """A Reading from Prometheus text. Raises ValueError where it is not an agent's."""
    samples: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    if "prewarm_agent_warm" not in samples:
        raise ValueError("prewarm_agent_warm: not among the metrics; is this an agent's port 8081?")
    return Reading(
        warm=samples["prewarm_agent_warm"][0][1] == 1,
        built={labels["kind"]: value for labels, value in samples.get("prewarm_agent_resources_built_total", ())},
        phases={labels["phase"]: value for labels, value in samples.get("prewarm_agent_startup_phase_seconds", ())},
        in_flight=sum(value for _, value in samples.get("prewarm_agent_requests_in_flight", ())),
    )


class AgentMetrics:
    """Reads every pod of a PodObserver once a second from Ready until it ends, its drain included."""

    def __init__(self, api: Api, namespace: str, pods: PodObserver) -> None:
        self._api = api
        self._namespace = namespace
        self._pods = pods
        self.readings: dict[str, PodReadings] = {}

    @property
    def built_after_warm(self) -> float:
        """Resources that pods built after they said they were warm, summed over all pods and kinds."""
        return sum(readings.built_after_warm for readings in self.readings.values())

    def unread(self) -> list[Pod]:
        """Pods that were Ready and never read: a sum over all pods is wrong while there are any."""
        return [pod for pod in self._pods.pods if pod.ready_seconds is not None and pod.uid not in self.readings]

    async def watch(self) -> None:
        """Read until cancelled."""
        while True:
            began_seconds = asyncio.get_running_loop().time()
            alive = [pod for pod in self._pods.pods if pod.ready_seconds is not None and not pod.ended]
            await asyncio.gather(*(self._take(pod) for pod in alive))
            spent_seconds = asyncio.get_running_loop().time() - began_seconds
            await asyncio.sleep(max(0.0, INTERVAL_SECONDS - spent_seconds))

    async def read(self, pod: Pod) -> Reading:
        """One reading now. Raises httpx2.HTTPError where the pod does not answer."""
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod.name}:{PORT}/proxy/metrics"
        return parse(await self._api.text(path, timeout_seconds=2))

    async def _take(self, pod: Pod) -> None:
        try:
            reading = await self.read(pod)
        except httpx2.HTTPError:
            return  # it ended between two readings, or its container did; the next reading tells
        if not reading.warm:
            return
        seen = self.readings.setdefault(pod.uid, PodReadings(reading, reading, 0))
        seen.last = reading
        seen.count += 1
