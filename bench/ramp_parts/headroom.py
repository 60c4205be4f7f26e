"""Whether nodes are there before the pods of a ramp need them: the real Karpenter, nodes that kwok plays.

Two agents see the same load at the same time, each under an operator of its own from the chart and its image: one
keeps node headroom, the other does not. Each has nodes for the even load and its reserve from the start; a further
node takes a minute to start, as one of a cloud. After two minutes of even load, from which the forecast learns, the
load grows by 3.5 requests a minute. Counted are the seconds for which the pods that were made during the ramp were
unschedulable. In about twelve minutes.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import yaml
from lib import report

from devcluster import settings
from devcluster.node_autoscaler import NodeAutoscaler
from prewarm_demo.cluster.access import REPOSITORY, find_access
from prewarm_demo.cluster.api import connect
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.install import IMAGES, remove_all
from prewarm_demo.narrator import Narrator
from prewarm_demo.sides import EXAMPLE
from prewarm_demo.trial.side import beside
from ramp_parts.told_load import ToldLoad
from ramp_parts.waiting import Waiting

WITH, WITHOUT = "headroom-with", "headroom-without"
MODES = {WITH: "CapacityBuffer", WITHOUT: "Disabled"}
LABEL = "prewarm.dev/ramp"
EVEN_LOAD, PER_MINUTE = 40.0, 3.5
EVEN_SECONDS, RAMP_SECONDS = 120.0, 450.0
NODE_START = "60s"
NODES_FOR = 66
"""Pods: the forecast of an even load of 40 keeps a reserve up to 64."""
CPU = "4"
"""Of a node: three pods of one CPU have a place beside what a node keeps for itself."""
SETTLE_SECONDS = 180.0

MEANINGS = {
    "headroom_pending_s_with": "seconds that pods of a ramp were unschedulable, summed, with node headroom "
    "(at most a tenth of without)",
    "headroom_pending_s_without": "the same of the same ramp, without node headroom",
    "headroom_ramp_pods_with": "pods that were made during the ramp, with node headroom",
    "headroom_ramp_pods_without": "the same, without node headroom",
}


def node_pool(name: str) -> list[dict[str, Any]]:
    """Nodes that only the agent of this namespace may use."""
    requirements = {"karpenter.kwok.sh/instance-cpu": CPU, "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"}
    requirements |= {"karpenter.sh/capacity-type": "on-demand"}
    spec = {
        "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": name},
        "requirements": [{"key": key, "operator": "In", "values": [value]} for key, value in requirements.items()],
        "taints": [{"key": LABEL, "value": name, "effect": "NoSchedule"}],
        "expireAfter": "Never",
    }
    template = {"metadata": {"labels": {LABEL: name}}, "spec": spec}
    disruption = {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"}
    metadata = {"name": name}
    return [
        {
            "apiVersion": "karpenter.kwok.sh/v1alpha1",
            "kind": "KWOKNodeClass",
            "metadata": metadata,
            "spec": {"nodeRegistrationDelay": NODE_START},
        },
        {
            "apiVersion": "karpenter.sh/v1",
            "kind": "NodePool",
            "metadata": metadata,
            "spec": {"template": template, "disruption": disruption},
        },
    ]


def agent(namespace: str) -> dict[str, Any]:
    """The example of the README, one request a pod, on the nodes of its namespace."""
    manifest: dict[str, Any] = yaml.safe_load((REPOSITORY / EXAMPLE).read_text())
    manifest["metadata"]["namespace"] = namespace
    manifest["spec"] |= {
        "mode": "Auto",
        "minReplicas": int(EVEN_LOAD),
        "replicas": int(EVEN_LOAD),
        "maxReplicas": 200,
        "concurrencyLimit": 1,
        "nodeSelector": {LABEL: namespace},
        "tolerations": [{"key": LABEL, "operator": "Exists"}],
        "resources": {"requests": {"cpu": "1", "memory": "64Mi"}},
    }
    return manifest


async def _install(commands: Commands, namespace: str, *, crds: bool) -> None:
    """An operator for one namespace, in that namespace."""
    await commands.kubectl("create", "namespace", namespace)
    values = [f"{key}.{part}" for key, image in IMAGES.items() for part in (f"repository={image}", "tag=dev")]
    values += [f"watchNamespaces={{{namespace}}}", "replicas=1", f"nodeHeadroom.mode={MODES[namespace]}"]
    values.append(f"crds.enabled={str(crds).lower()}")
    await commands.helm(
        *("install", "prewarm", "charts/prewarm", f"--namespace={namespace}", "--take-ownership"),
        *(*(f"--set={value}" for value in values), "--wait", "--timeout=120s"),
    )


def first_pods(namespace: str) -> dict[str, Any]:
    """Pods that bring the nodes which are there from the start, and go again."""
    placed = agent(namespace)["spec"]
    labels = {"app": "first"}
    container = {"name": "first", "image": settings.PAUSE_IMAGE, "resources": placed["resources"]}
    pod = {"containers": [container], "nodeSelector": placed["nodeSelector"], "tolerations": placed["tolerations"]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": NODES_FOR, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "first", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


class Ramp:
    """The load over time; `began` is when it starts to grow, in monotonic seconds."""

    def __init__(self) -> None:
        self.began = float("inf")

    def load(self) -> float:
        return EVEN_LOAD + max(0.0, time.monotonic() - self.began) / 60.0 * PER_MINUTE


async def _pass(seconds: float, waiting: dict[str, Waiting], narrator: Narrator, ramp: Ramp) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        waited = ", ".join(f"{name} {each.seconds_since(ramp.began):.0f} s" for name, each in waiting.items())
        narrator.live(f"load {ramp.load():.1f}; waited for nodes: {waited}")
        await asyncio.sleep(1.0)
    narrator.end_live()


async def _apply(commands: Commands, *objects: dict[str, Any]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    await commands.kubectl("apply", "--filename=-", stdin=text)


async def _bring_first_nodes(commands: Commands) -> None:
    await _apply(commands, *(each for name in MODES for each in (*node_pool(name), first_pods(name))))
    for name in MODES:
        where = ("deployment/first", f"--namespace={name}")
        await commands.kubectl("rollout", "status", *where, f"--timeout={SETTLE_SECONDS:.0f}s")
    for name in MODES:
        await commands.kubectl("delete", "deployment/first", f"--namespace={name}", "--cascade=foreground")


async def _measure() -> dict[str, report.Figure]:
    access, narrator, ramp = find_access(), Narrator(), Ramp()
    commands = Commands(access, narrator, REPOSITORY)
    await _remove(commands)
    async with AsyncExitStack() as stack:
        stack.enter_context(NodeAutoscaler(settings.Cache.from_environment(), Path(access.kubeconfig)))
        stack.push_async_callback(_remove, commands)
        api = await stack.enter_async_context(connect(access))
        await stack.enter_async_context(ToldLoad(ramp.load).serve(settings.NODE_ADDRESS))
        await _install(commands, WITH, crds=True)
        await _install(commands, WITHOUT, crds=False)
        await _bring_first_nodes(commands)
        waiting = {name: Waiting(api, name) for name in MODES}
        await stack.enter_async_context(beside(*(each.watch() for each in waiting.values())))
        await _apply(commands, *map(agent, MODES))
        for name in MODES:
            ready = ("wait", "--for=condition=Ready", "agentdeployment/support", f"--namespace={name}")
            await commands.kubectl(*ready, "--timeout=60s")
        await _pass(EVEN_SECONDS, waiting, narrator, ramp)
        ramp.began = time.monotonic()
        await _pass(RAMP_SECONDS, waiting, narrator, ramp)
        for name in MODES:
            await commands.kubectl("get", "agentdeployments,capacitybuffers", f"--namespace={name}")
        return {
            f"headroom_{what}_{name.removeprefix('headroom-')}": figure
            for name, each in waiting.items()
            for what, figure in (
                ("pending_s", each.seconds_since(ramp.began)),
                ("ramp_pods", each.made_since(ramp.began)),
            )
        }


async def _remove(commands: Commands) -> None:
    """Also the release for the whole cluster, which would fight over these agents with their own operators."""
    await remove_all(commands)
    await commands.kubectl("delete", "namespace", *MODES, "--ignore-not-found", "--timeout=180s")


def run() -> dict[str, report.Figure]:
    """Install both, let the load grow, remove."""
    return asyncio.run(_measure())
