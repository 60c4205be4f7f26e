"""A container's process killed with SIGKILL under load: no drain, no goodbye, as the out-of-memory killer does it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from prewarm_demo.cluster.agent_metrics import AgentMetrics
from prewarm_demo.cluster.pods import PodObserver
from prewarm_demo.load.records import OK
from prewarm_demo.trial.load_pod import LoadPlan, LoadPod
from prewarm_demo.trial.side import Side, Trial, beside

KILL_AT_SECONDS = 3.0


@dataclass(frozen=True)
class KillRun:
    """`in_flight` is what the pod said it was working on just before; `failures` counts outcomes of the whole load."""

    requests: int
    in_flight: int
    failures: dict[str, int]

    def describe(self) -> str:
        """One sentence. A refused request was not in flight: nobody listens until Kubernetes takes the pod out."""
        kinds = ", ".join(f"{count} {outcome}" for outcome, count in self.failures.items())
        late = " (a new connection, before the pod was out of the Service)" if "refused" in self.failures else ""
        return (
            f"SIGKILL of a container with {self.in_flight} requests in flight: {sum(self.failures.values())} of "
            f"{self.requests} requests failed{': ' if kinds else ''}{kinds}{late}."
        )


async def run_kill(
    trial: Trial, side: Side, plan: LoadPlan, pods: PodObserver, metrics: AgentMetrics
) -> KillRun | None:
    """Kill one serving pod's container under load. None, and a sentence, where its process is not on this machine."""
    victim = pods.serving[0]
    pid = host_pid(victim.container_id or "")
    if pid is None or os.geteuid() != 0:
        trial.narrator.say("Skipped: the pods' processes are not on this machine, or only root may kill them.")
        return None
    load = LoadPod(trial.commands, trial.namespace, "load-kill")
    await load.start(plan, side.url)
    in_flight = 0

    async def kill() -> None:
        nonlocal in_flight
        await load.until(KILL_AT_SECONDS)
        trial.narrator.command(f"kill -KILL {pid}   # the process of {victim.name}")
        in_flight = round((await metrics.read(victim)).in_flight)
        os.kill(pid, signal.SIGKILL)

    async with beside(load.show(trial.narrator, "SIGKILL", pods)), asyncio.TaskGroup() as group:
        group.create_task(load.follow())
        group.create_task(kill())
    trial.narrator.end_live()
    failures = Counter(record.outcome for record in load.records if record.outcome != OK)
    return KillRun(len(load.records), in_flight, dict(failures))


def host_pid(container_id: str, proc: Path = Path("/proc")) -> int | None:
    """The process that is PID 1 of that container, as this machine numbers it."""
    for folder in proc.iterdir():
        if not (container_id and folder.name.isdigit()):
            continue
        try:
            inside = container_id in (folder / "cgroup").read_text()
            numbers = (folder / "status").read_text().partition("NSpid:")[2].splitlines()[0].split()
        except (OSError, IndexError):
            continue  # ended while we looked
        if inside and len(numbers) > 1 and numbers[-1] == "1":
            return int(folder.name)
    return None
