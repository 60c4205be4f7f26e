"""Whether new pods get their share from clients that keep their connections: make bench NAME=spread.

On the dev cluster, in about two and a half minutes. Two pods are under more load than their target, two more join, and
half a minute after they are Ready everyone's requests are counted for another half minute.
"""

import asyncio
import json
from typing import Any

import yaml
from lib import report
from prometheus_client.parser import text_string_to_metric_families

from prewarm_demo.cluster.access import REPOSITORY, find_access
from prewarm_demo.cluster.api import Api, connect
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import Pod, PodObserver
from prewarm_demo.install import NAMESPACE, install, remove_demo
from prewarm_demo.narrator import Narrator
from prewarm_demo.sides import EXAMPLE, IN_NAMESPACE
from prewarm_demo.trial.load_pod import LoadPlan, LoadPod
from prewarm_demo.trial.side import beside

AGENT = "agentdeployment/support"
FEW, MANY = 2, 4
CONCURRENCY_LIMIT = 24
# The model takes 0.2 s: 36 requests in flight, 18 a pod at first and 9 later; the target is 70 % of the limit, 16.8.
PLAN = LoadPlan(rate_per_second=175, requests=175 * 120, seed=3)
UNDER_LOAD_SECONDS = 20.0
FROM_SECONDS, UNTIL_SECONDS = 30.0, 60.0

MEANINGS = {
    "keepalive_spread": "requests of new pods over their fair share, 30 to 60 s after Ready (at least 0.8)",
    "keepalive_spread_of_the_least": "the same of the one new pod that got fewest",
    "failed": "requests that were not answered, of all",
}


def agent() -> dict[str, Any]:
    """The example of the README, with a limit that this machine can reach."""
    manifest: dict[str, Any] = yaml.safe_load((REPOSITORY / EXAMPLE).read_text())
    manifest["spec"] |= {"concurrencyLimit": CONCURRENCY_LIMIT, "replicas": FEW, "minReplicas": FEW}
    return manifest


async def answered(api: Api, pod: Pod) -> float:
    """Requests for an answer of the agent that a pod has had."""
    text = await api.text(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod.name}:8081/proxy/metrics")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "prewarm_agent_requests_total" and sample.labels["endpoint"] == "chat_completions"
    )


async def counts(api: Api, pods: PodObserver) -> dict[str, float]:
    serving = pods.serving
    return dict(
        zip((pod.uid for pod in serving), await asyncio.gather(*(answered(api, p) for p in serving)), strict=True)
    )


async def share_of_new_pods(api: Api, commands: Commands, pods: PodObserver, load: LoadPod) -> list[float]:
    """Each new pod's requests over a fair share."""
    await load.until(UNDER_LOAD_SECONDS)
    old = {pod.uid for pod in pods.serving}
    await commands.kubectl("scale", AGENT, IN_NAMESPACE, f"--replicas={MANY}")
    ready = f"--for=jsonpath={{.status.readyReplicas}}={MANY}"
    await commands.kubectl("wait", ready, AGENT, IN_NAMESPACE, "--timeout=60s")
    await asyncio.sleep(FROM_SECONDS)
    before = await counts(api, pods)
    await asyncio.sleep(UNTIL_SECONDS - FROM_SECONDS)
    after = await counts(api, pods)
    had = {uid: after[uid] - before[uid] for uid in before}
    fair = sum(had.values()) / MANY
    print(
        "    " + json.dumps({f"{'new' if uid not in old else 'old'} {uid[:4]}": n for uid, n in had.items()}),
        flush=True,
    )
    return [number / fair for uid, number in had.items() if uid not in old]


async def main() -> None:
    """Install, load, scale, count; write build/bench/spread.json."""
    access = find_access()
    narrator = Narrator()
    commands = Commands(access, narrator, REPOSITORY)
    async with connect(access) as api:
        await install(commands)
        pods = PodObserver(api, NAMESPACE, "prewarm.dev/agent=support")
        load = LoadPod(commands, NAMESPACE, "load-spread")
        async with beside(pods.watch()):
            await commands.kubectl("apply", "--filename=-", IN_NAMESPACE, stdin=json.dumps(agent()))
            await commands.kubectl("wait", "--for=condition=Ready", AGENT, IN_NAMESPACE, "--timeout=120s")
            await load.start(PLAN, "http://support/v1/chat/completions")
            following = asyncio.create_task(load.follow())
            shares = await share_of_new_pods(api, commands, pods, load)
            await following
        await remove_demo(commands, wait=False)
    failed = sum(record.outcome != "ok" for record in load.records)
    figures: dict[str, report.Figure] = {
        "keepalive_spread": sum(shares) / len(shares),
        "keepalive_spread_of_the_least": min(shares),
        "failed": failed,
    }
    report.write("spread", figures, MEANINGS)


if __name__ == "__main__":
    asyncio.run(main())
