"""From a load that crosses the target until the operator has written the new number of pods.

Agents of one pod each, with the operator from its chart. One client more than the target begin to ask at once, each
again as soon as it has its answer; the clock runs from before their first request until the watch on Deployments tells
another `spec.replicas`. Then the clients stop, the agent is set back to one pod by hand, and at a random moment they
begin anew.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import yaml
from lib import report
from lib.closed_loop import percentile

from prewarm_demo.cluster.access import REPOSITORY, find_access
from prewarm_demo.cluster.api import Api, connect
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.install import NAMESPACE, install, remove_demo
from prewarm_demo.load.http import PooledClient
from prewarm_demo.narrator import Narrator
from prewarm_demo.sides import EXAMPLE, IN_NAMESPACE
from prewarm_demo.trial.side import beside

AGENTS, CROSSINGS_EACH = 3, 35
# Target and limit are the same: whether the forecast counts yet or not, the same load is one too many.
TARGET = 4
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments?watch=1"
SLOWEST_SECONDS = 10.0
FOLLOWED = "--for=jsonpath={.status.conditions[?(@.type=='ScalingActive')].reason}=PrewarmScales"
# A tick of the forecast and a heartbeat of a stream have 15 s: bursts must not keep in step with them.
LONGEST_PAUSE_SECONDS = 2.0

MEANINGS = {
    "over_target_to_desired_p99_ms": "load over the target to spec.replicas written, p99 in ms (at most 300)",
    "over_target_to_desired_p50_ms": "the same, median",
    "over_target_to_desired_max_ms": "the same, the slowest",
    "crossings": "how often that was measured (at least 100)",
}


def manifest(name: str) -> dict[str, Any]:
    """The example of the README with a small limit, to be scaled by Prewarm."""
    agent: dict[str, Any] = yaml.safe_load((REPOSITORY / EXAMPLE).read_text())
    agent["metadata"]["name"] = name
    agent["spec"] |= {"concurrencyLimit": TARGET, "targetConcurrency": TARGET, "minReplicas": 1} | auto()
    return agent


def auto() -> dict[str, Any]:
    return {"mode": "Auto", "replicas": 1}


class Replicas:
    """`spec.replicas` of every Deployment, and when the watch told another number than before."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._now: dict[str, int] = {}
        self._changed = asyncio.Condition()

    async def watch(self) -> None:
        """Follow until cancelled."""
        while True:
            async for event in self._api.events(DEPLOYMENTS):
                if event["type"] in ("ADDED", "MODIFIED"):
                    async with self._changed:
                        self._now[event["object"]["metadata"]["name"]] = event["object"]["spec"]["replicas"]
                        self._changed.notify_all()

    async def until(self, name: str, *, above: int = 0, at_most: int = 1000) -> float:
        """When the number is within the bounds, in monotonic seconds."""
        async with asyncio.timeout(SLOWEST_SECONDS), self._changed:
            await self._changed.wait_for(lambda: above < self._now.get(name, 0) <= at_most)
            return time.monotonic()


class Agent:
    """One agent, whose load crosses the target again and again."""

    def __init__(self, commands: Commands, replicas: Replicas, name: str) -> None:
        self.name = name
        self._commands = commands
        self._replicas = replicas
        self._clients: list[PooledClient] = []
        messages = [{"role": "user", "content": "hello"}]
        self._body = json.dumps({"model": name, "messages": messages}).encode()

    async def start(self) -> None:
        """Create it and wait for its pod."""
        text = json.dumps(manifest(self.name))
        await self._commands.kubectl("apply", "--filename=-", IN_NAMESPACE, stdin=text, shown=False)
        await self._wait("--for=condition=Ready")
        pods = ("get", "pods", f"--selector=prewarm.dev/agent={self.name}", IN_NAMESPACE)
        address = await self._commands.kubectl(*pods, "-o=jsonpath={.items[0].status.podIP}", shown=False)
        # Not through the Service: a pod that the last crossing brought may be in it for a moment after its deletion.
        url = f"http://{address}:8080/v1/chat/completions"
        self._clients = [PooledClient(url) for _ in range(TARGET + 1)]

    async def cross(self) -> float:
        """Cross the target once; returns seconds until the new number was written."""
        await self._followed()
        await asyncio.sleep(random.uniform(0.0, LONGEST_PAUSE_SECONDS))
        began = time.monotonic()
        async with beside(*(self._ask_again_and_again(client) for client in self._clients)):
            seconds = await self._replicas.until(self.name, above=1) - began
        await self._patch({"mode": "External", "replicas": 1})
        await self._replicas.until(self.name, at_most=1)
        await self._patch(auto())
        return seconds

    async def _ask_again_and_again(self, client: PooledClient) -> None:
        while True:
            answer = await client.post(self._body)
            if answer.status != 200:
                raise RuntimeError(f"{self.name} answered {answer.status}: {answer.body[:200]!r}")

    async def _followed(self) -> None:
        """Wait until the operator hears the load of the spec as it is now."""
        get = ("get", f"agentdeployment/{self.name}", IN_NAMESPACE, "-o=jsonpath={.metadata.generation}")
        generation = await self._commands.kubectl(*get, shown=False)
        await self._wait(f"--for=jsonpath={{.status.observedGeneration}}={generation}")
        await self._wait(FOLLOWED)

    async def _patch(self, spec: dict[str, Any]) -> None:
        patch = json.dumps({"spec": spec})
        await self._commands.kubectl(
            *("patch", f"agentdeployment/{self.name}", IN_NAMESPACE, "--type=merge", f"--patch={patch}"), shown=False
        )

    async def _wait(self, what: str) -> None:
        agent = f"agentdeployment/{self.name}"
        await self._commands.kubectl("wait", what, agent, IN_NAMESPACE, "--timeout=120s", shown=False)


@asynccontextmanager
async def _agents() -> AsyncIterator[list[Agent]]:
    access = find_access()
    commands = Commands(access, Narrator(), REPOSITORY)
    async with connect(access) as api:
        await install(commands)
        replicas = Replicas(api)
        agents = [Agent(commands, replicas, f"crossing-{number}") for number in range(AGENTS)]
        async with beside(replicas.watch()):
            await asyncio.gather(*(agent.start() for agent in agents))
            yield agents
        await remove_demo(commands, wait=False)


async def _measure() -> list[float]:
    async with _agents() as agents:

        async def crossings(agent: Agent) -> list[float]:
            seconds = []
            for number in range(1, CROSSINGS_EACH + 1):
                seconds.append(await agent.cross())
                if number % 10 == 0:
                    print(f"    {agent.name}: {number} crossings, the slowest {max(seconds) * 1000:.0f} ms", flush=True)
            return seconds

        return [one for found in await asyncio.gather(*map(crossings, agents)) for one in found]


def run() -> dict[str, report.Figure]:
    """Install, cross, remove."""
    milliseconds = [seconds * 1000 for seconds in asyncio.run(_measure())]
    return {
        "over_target_to_desired_p99_ms": percentile(milliseconds, 99),
        "over_target_to_desired_p50_ms": percentile(milliseconds, 50),
        "over_target_to_desired_max_ms": max(milliseconds),
        "crossings": len(milliseconds),
    }
