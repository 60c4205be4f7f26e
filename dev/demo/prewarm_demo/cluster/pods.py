"""When each pod of a side was created, became Ready and ended, by this process's monotonic clock.

The API's own timestamps have whole seconds, which is as long as some starts take.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from prewarm_demo.cluster.api import Api

RECONNECT_SECONDS = 0.2


@dataclass
class Pod:
    """What was seen of one pod. Times are `time.monotonic()`, taken when the watch event arrived."""

    name: str
    uid: str
    created_seconds: float
    ready_seconds: float | None = None
    ready: bool = False
    terminating: bool = False
    ended: bool = False
    ended_seconds: float | None = None
    container_id: str | None = None

    @property
    def serving(self) -> bool:
        return self.ready and not self.terminating and not self.ended

    @property
    def start_seconds(self) -> float | None:
        """From created to Ready, the first time."""
        return None if self.ready_seconds is None else self.ready_seconds - self.created_seconds


class PodObserver:
    """Follows the pods that a selector matches. Start it before the first of them is created."""

    def __init__(self, api: Api, namespace: str, selector: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/pods?watch=1&labelSelector={quote(selector)}"
        self._clock = clock
        self._pods: dict[str, Pod] = {}

    @property
    def pods(self) -> list[Pod]:
        """Every pod seen, in order of creation, those that ended included."""
        return list(self._pods.values())

    @property
    def serving(self) -> list[Pod]:
        return [pod for pod in self.pods if pod.serving]

    async def watch(self) -> None:
        """Follow until cancelled. A watch that ends is begun again, and what it repeats changes nothing."""
        while True:
            try:
                async for event in self._api.events(self._path):
                    self.see(event["type"], event["object"])
            except httpx2.HTTPError:
                await asyncio.sleep(RECONNECT_SECONDS)

    def see(self, kind: str, manifest: dict[str, Any]) -> None:
        """Take in one watch event."""
        if kind not in ("ADDED", "MODIFIED", "DELETED"):
            return
        now_seconds = self._clock()
        metadata, status = manifest["metadata"], manifest.get("status", {})
        pod = self._pods.setdefault(metadata["uid"], Pod(metadata["name"], metadata["uid"], now_seconds))
        pod.ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
        if pod.ready and pod.ready_seconds is None:
            pod.ready_seconds = now_seconds
        pod.terminating = "deletionTimestamp" in metadata
        pod.ended = kind == "DELETED"
        if pod.ended:
            pod.ended_seconds = now_seconds
        for container in status.get("containerStatuses", ())[:1]:
            pod.container_id = container.get("containerID", "").rpartition("//")[2] or None
