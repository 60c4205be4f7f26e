"""How long pods were unschedulable, as a watch tells it."""

import asyncio
import time
from dataclasses import dataclass

from prewarm_demo.cluster.api import Api


@dataclass
class _Pod:
    created_at: float
    unschedulable_at: float | None = None
    waited_until: float | None = None


class Waiting:
    """Every pod of a namespace: from when the scheduler says that no node takes it until one does."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/pods?watch=1"
        self._pods: dict[str, _Pod] = {}

    async def watch(self) -> None:
        """Follow until cancelled."""
        while True:
            async for event in self._api.events(self._path):
                self._take_in(event["object"], time.monotonic(), gone=event["type"] == "DELETED")
            await asyncio.sleep(0.2)

    def _take_in(self, body: dict[str, dict[str, object]], now: float, *, gone: bool) -> None:
        pod = self._pods.setdefault(str(body["metadata"]["uid"]), _Pod(now))
        if gone or "nodeName" in body["spec"]:
            pod.waited_until = pod.waited_until or now
            return
        conditions = body["status"].get("conditions")
        for condition in conditions if isinstance(conditions, list) else ():
            if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
                pod.unschedulable_at = pod.unschedulable_at or now

    def made_since(self, began: float) -> int:
        return sum(pod.created_at >= began for pod in self._pods.values())

    def seconds_since(self, began: float) -> float:
        """Summed over the pods that were made since then; one that still waits has waited until now."""
        now = time.monotonic()
        return sum(
            (pod.waited_until or now) - pod.unschedulable_at
            for pod in self._pods.values()
            if pod.created_at >= began and pod.unschedulable_at is not None
        )
