"""The reactive rule alone: what Prewarm does where it has no forecast, as an autoscaler of another agent.

The same readings (the pods' load streams), the same decision function, the same bounds, stabilization and rates,
without a forecast: ceil(load / targetConcurrency), at once on the way up. It writes `spec.replicas` of an agent in mode
External.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx2

from prewarm_demo.cluster.agent_metrics import PORT
from prewarm_demo.cluster.api import Api
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import Pod, PodObserver
from prewarm_operator.decide.scaling.decision import decide_scaling
from prewarm_operator.decide.scaling.model import Inputs, Pods, Policy
from prewarm_operator.signals.pod_load import Heard, agent_reading, parse
from prewarm_operator.world.scaling import History

INTERVAL_SECONDS = 0.1
RECONNECT_SECONDS = 0.5


class ReactiveRule:
    """Follows the load of one agent and sets its number of pods, until cancelled."""

    def __init__(self, api: Api, commands: Commands, pods: PodObserver, agent: tuple[str, str], policy: Policy) -> None:
        self._api = api
        self._commands = commands
        self._pods = pods
        self._namespace, self._name = agent
        self._policy = policy
        self._heard: dict[str, Heard] = {}
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Decide ten times a second, and write what is new."""
        history, written = History(), self._policy.low
        async with asyncio.TaskGroup() as group:
            while True:
                self._follow(group)
                wanted, history = self.decide(history, written, time.monotonic())
                if wanted != written:
                    await self._scale(wanted)
                    written = wanted
                await asyncio.sleep(INTERVAL_SECONDS)

    def decide(self, history: History, present: int, now: float) -> tuple[int, History]:
        """The number of pods for what the pods say now; `now` is monotonic."""
        ready = {pod.uid for pod in self._pods.serving}
        reading, upstream = agent_reading(ready, self._heard, self._policy.concurrency_limit, now)
        inputs = Inputs(self._policy, Pods(own=present), time.time(), reading, upstream=upstream)
        verdict, history = decide_scaling(inputs, history, now)
        return verdict.own, history

    def hear(self, pod: Pod, line: dict[str, Any], now: float) -> None:
        """A pod has told its load."""
        self._heard[pod.uid] = Heard(parse(json.dumps(line).encode()), now)

    def _follow(self, group: asyncio.TaskGroup) -> None:
        for pod in self._pods.pods:
            if pod.ended:
                self._heard.pop(pod.uid, None)
            elif pod.uid not in self._streams and pod.ready_seconds is not None:
                self._streams[pod.uid] = group.create_task(self._stream(pod))

    async def _stream(self, pod: Pod) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod.name}:{PORT}/proxy/load?watch=1"
        while not pod.ended:
            try:
                async for line in self._api.events(path):
                    self.hear(pod, line, time.monotonic())
            except httpx2.HTTPError:
                pass  # it ends; what it does not say while it drains is not asked for elsewhere
            await asyncio.sleep(RECONNECT_SECONDS)
        self._heard.pop(pod.uid, None)

    async def _scale(self, count: int) -> None:
        agent = f"agentdeployment/{self._name}"
        await self._commands.kubectl("scale", agent, f"--namespace={self._namespace}", f"--replicas={count}")
