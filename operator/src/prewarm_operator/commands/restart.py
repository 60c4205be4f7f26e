"""`prewarm restart NAME`: new pods of the same spec, after a Secret changed. The old ones serve until they are warm."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from prewarm_operator.api import names
from prewarm_operator.api.status import AgentDeploymentStatus, Condition
from prewarm_operator.commands import access
from prewarm_operator.commands.access import Cluster, CommandFailed
from prewarm_operator.decide import reasons
from prewarm_operator.kube.errors import NotFound, Unreachable
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS
from prewarm_operator.render.agent import Agent

FIELD_MANAGER = "prewarm-cli"
"""Flux takes over, and then takes away, what any manager whose name begins with kubectl has set."""

POLL_SECONDS = 1.0

REACT_SECONDS = 30.0
"""A leader that dies is followed after 15 s at most, and the next one acts at once."""

SILENCE_SECONDS = 90.0
"""Beyond the time that a warm-up may take: nothing moves any more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("name", help="of the AgentDeployment")
    parser.add_argument("--no-wait", action="store_true", help="return at once instead of when all pods are new")
    access.add_arguments(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    async def restart(cluster: Cluster) -> int:
        before = await cluster.read(options.name)
        if before.status.revision is None:
            raise CommandFailed(f"AgentDeployment {before.name} has no pods yet, so there is nothing to restart.")
        await ask(cluster, before, datetime.now(UTC))
        if options.no_wait:
            print(f"{before.name}: a restart was asked for")
        else:
            began = time.monotonic()
            after = await _wait(cluster, before)
            print(f"{after.name}: {after.status.replicas} pods are new, after {time.monotonic() - began:.0f} s")
        return 0

    return access.run(options, "restart", restart)


async def ask(cluster: Cluster, agent: Agent, now: datetime) -> None:
    """Ask the operator for new pods. The annotation has an owner of its own, so no apply of a manifest takes it away.

    Raises:
        CommandFailed: the AgentDeployment is gone.
        KubeError: as the client raises it.
    """
    annotations = {names.ANNOTATION_RESTARTED_AT: now.isoformat(timespec="milliseconds")}
    try:
        await cluster.client.request(
            "PATCH",
            AGENT_DEPLOYMENTS.path(agent.namespace, agent.name),
            query={"fieldManager": FIELD_MANAGER},
            body={"metadata": {"uid": agent.uid, "annotations": annotations}},
            content_type="application/merge-patch+json",
        )
    except NotFound:
        raise CommandFailed(f"AgentDeployment {agent.name} was deleted meanwhile.") from None


async def _wait(cluster: Cluster, before: Agent) -> Agent:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, transient=True, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("waiting for the operator", total=None)
        async for now in watched(cluster, before):
            status = now.status
            if status.revision != before.status.revision:
                done = status.updated_replicas or 0
                progress.update(task, description="new pods", completed=done, total=status.desired_replicas)
    return now


async def watched(cluster: Cluster, before: Agent) -> AsyncIterator[Agent]:
    """The agent once a second until all its pods are of another revision than `before`.

    Raises:
        CommandFailed: that will not come by itself, or nothing has moved for too long.
        KubeError: as the client raises it; that the cluster does not answer is borne for a while.
    """
    moved, last = time.monotonic(), before.status
    while True:
        await asyncio.sleep(POLL_SECONDS)
        quiet_seconds = time.monotonic() - moved
        try:
            agent = await cluster.read(before.name)
        except Unreachable:
            if quiet_seconds > SILENCE_SECONDS:
                raise
            continue
        status = agent.status
        yield agent
        restarts = status.revision != before.status.revision
        stuck = _stuck(status)
        if stuck is not None and (restarts or stuck != _stuck(before.status)):
            raise CommandFailed(f"the restart is stuck, the old pods go on serving: {stuck}.")
        if restarts and is_done(status):
            return
        if status != last:
            moved, last = time.monotonic(), status
        elif quiet_seconds > (before.spec.warmup.timeout_seconds + SILENCE_SECONDS if restarts else REACT_SECONDS):
            raise CommandFailed(_silence(before.name, quiet_seconds, restarts, stuck))


def _silence(name: str, seconds: float, restarts: bool, stuck: str | None) -> str:
    if stuck is not None:
        return f"nothing has moved for {seconds:.0f} s, for it was stuck before: {stuck}."
    if restarts:
        return f"nothing has moved for {seconds:.0f} s: kubectl prewarm explain {name} may say why."
    return (
        f"the operator has not reacted for {seconds:.0f} s: see whether it runs, and is not of an older version, which "
        "does not know restarts."
    )


def is_done(status: AgentDeploymentStatus) -> bool:
    """Whether all pods are of the current revision. More of them may be on their way."""
    progress = _condition(status, "Progressing")
    return progress is not None and progress.reason in (reasons.SETTLED, reasons.SCALING)


def _stuck(status: AgentDeploymentStatus) -> str | None:
    stalled = _condition(status, "Stalled")
    return stalled.message if stalled is not None and stalled.status == "True" else None


def _condition(status: AgentDeploymentStatus, type_: str) -> Condition | None:
    return next((condition for condition in status.conditions if condition.type == type_), None)
