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
from collections.abc import AsyncIterator, Callable
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

AGENTS, CROSSINGS_EACH = 2, 52
# Target and limit are the same: whether the forecast counts yet or not, the same load is one too many.
TARGET = 4
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
AGENTS_OF_NAMESPACE = f"/apis/prewarm.dev/v1alpha1/namespaces/{NAMESPACE}/agentdeployments"
# A tick of the forecast and a heartbeat of a stream have 15 s: bursts must not keep in step with them.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 3.0

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
    agent["spec"] |= {"concurrencyLimit": TARGET, "targetConcurrency": TARGET, "minReplicas": 1, "mode": "Auto"}
    return agent


class Seen:
    """The objects of the namespace as watches tell them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._now: dict[tuple[str, str], Any] = {}
        self._changed = asyncio.Condition()

    async def watch(self, path: str) -> None:
        """Follow until cancelled."""
        while True:
            async for event in self._api.events(f"{path}?watch=1"):
                if event["type"] in ("ADDED", "MODIFIED"):
                    async with self._changed:
                        self._now[path, event["object"]["metadata"]["name"]] = event["object"]
                        self._changed.notify_all()

    async def until(self, path: str, name: str, holds: Callable[[Any], bool], within_seconds: float = 10.0) -> float:
        """When the object is so, in monotonic seconds."""

        def is_so() -> bool:
            found = self._now.get((path, name))
            return found is not None and holds(found)

        async with asyncio.timeout(within_seconds), self._changed:
            await self._changed.wait_for(is_so)
            return time.monotonic()


class Agent:
    """One agent, whose load crosses the target again and again."""

    def __init__(self, commands: Commands, seen: Seen, name: str) -> None:
        self.name = name
        self._commands = commands
        self._seen = seen
        self._clients: list[PooledClient] = []
        messages = [{"role": "user", "content": "hello"}]
        self._body = json.dumps({"model": name, "messages": messages}).encode()

    async def start(self) -> None:
        """Create it and wait for its pod."""
        text = json.dumps(manifest(self.name))
        await self._commands.kubectl("apply", "--filename=-", IN_NAMESPACE, stdin=text, shown=False)
        await self._followed(1)
        pods = ("get", "pods", f"--selector=prewarm.dev/agent={self.name}", IN_NAMESPACE)
        address = await self._commands.kubectl(*pods, "-o=jsonpath={.items[0].status.podIP}", shown=False)
        # Not through the Service: a pod that the last crossing brought may be in it for a moment after its deletion.
        url = f"http://{address}:8080/v1/chat/completions"
        self._clients = [PooledClient(url) for _ in range(TARGET + 1)]

    async def cross(self) -> float:
        """Cross the target once; returns seconds until the new number was written."""
        await asyncio.sleep(random.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
        began = time.monotonic()
        async with beside(*(self._ask_again_and_again(client) for client in self._clients)):
            seconds = (
                await self._seen.until(DEPLOYMENTS, self.name, lambda found: found["spec"]["replicas"] > 1) - began
            )
        await self._patch({"mode": "External", "replicas": 1})
        await self._seen.until(DEPLOYMENTS, self.name, lambda found: found["spec"]["replicas"] == 1)
        await self._followed(await self._patch({"mode": "Auto"}))
        return seconds

    async def _ask_again_and_again(self, client: PooledClient) -> None:
        while True:
            answer = await client.post(self._body)
            if answer.status != 200:
                raise RuntimeError(f"{self.name} answered {answer.status}: {answer.body[:200]!r}")

    async def _followed(self, generation: int) -> None:
        """Wait until the operator hears the load of that spec."""

        def hears(found: Any) -> bool:
            conditions = {one["type"]: one for one in found.get("status", {}).get("conditions", ())}
            scaling = conditions.get("ScalingActive", {})
            return scaling.get("observedGeneration") == generation and scaling["reason"] == "PrewarmScales"

        await self._seen.until(AGENTS_OF_NAMESPACE, self.name, hears, within_seconds=120.0)

    async def _patch(self, spec: dict[str, Any]) -> int:
        """Change the spec; returns the new generation."""
        patch = ("patch", f"agentdeployment/{self.name}", IN_NAMESPACE, "--type=merge")
        text = json.dumps({"spec": spec})
        said = await self._commands.kubectl(
            *patch, f"--patch={text}", "-o=jsonpath={.metadata.generation}", shown=False
        )
        return int(said)


@asynccontextmanager
async def _agents() -> AsyncIterator[list[Agent]]:
    access = find_access()
    commands = Commands(access, Narrator(), REPOSITORY)
    async with connect(access) as api:
        await install(commands)
        seen = Seen(api)
        agents = [Agent(commands, seen, f"crossing-{number}") for number in range(AGENTS)]
        async with beside(seen.watch(DEPLOYMENTS), seen.watch(AGENTS_OF_NAMESPACE)):
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
