"""`prewarm status`: the AgentDeployments of a namespace or of the cluster, in one table."""

import argparse
from collections.abc import Sequence

from rich.table import Table

from prewarm_operator.api.status import AgentDeploymentStatus
from prewarm_operator.commands import access
from prewarm_operator.commands.access import Cluster
from prewarm_operator.commands.health import problem
from prewarm_operator.commands.tables import cell, show, table
from prewarm_operator.render.agent import Agent

NUMBERS = ("ready", "bounds", "load", "start P90", "coverage")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    access.add_arguments(parser)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    async def work(cluster: Cluster) -> int:
        agents = await cluster.read_all(None if options.all_namespaces else cluster.namespace)
        if agents:
            show([fleet(agents, options.all_namespaces)], breaks_lines=False)
        else:
            where = "this cluster" if options.all_namespaces else f"namespace {cluster.namespace}"
            print(f"There is no AgentDeployment in {where}.")
        return 0

    return access.run(options, "status", work)


def fleet(agents: Sequence[Agent], with_namespaces: bool) -> Table:
    """A row for each agent, those with problems first."""
    named = ("namespace", "name") if with_namespaces else ("name",)
    made = table(*named, "mode", *NUMBERS, "reason", "problem", numbers=NUMBERS)
    for agent in sorted(agents, key=lambda each: (not problem(each.status), each.namespace, each.name)):
        wrong = problem(agent.status)
        names = (agent.namespace, agent.name) if with_namespaces else (agent.name,)
        style = "red" if wrong else ""
        made.add_row(*(cell(value, style) for value in (*names, agent.spec.mode, *_figures(agent), wrong)))
    return made


def _figures(agent: Agent) -> tuple[str, ...]:
    status, spec = agent.status, agent.spec
    scaling = status.scaling
    reason = "" if scaling is None else scaling.reason
    if scaling is not None and scaling.auto_replicas is not None:
        reason += f" (Auto: {scaling.auto_replicas})"
    return (
        f"{_or_none(status.ready_replicas)}/{_or_none(status.desired_replicas)}",
        f"{spec.min_replicas}-{spec.max_replicas}",
        "-" if scaling is None or scaling.load is None else f"{scaling.load:g}",
        _start(status),
        _coverage(status),
        reason,
    )


def _or_none(count: int | None) -> str:
    return "-" if count is None else str(count)


def _start(status: AgentDeploymentStatus) -> str:
    seconds = None if status.startup is None else status.startup.created_to_ready_p90_seconds
    return "-" if seconds is None else f"{seconds:.1f} s"


def _coverage(status: AgentDeploymentStatus) -> str:
    forecast = None if status.scaling is None else status.scaling.forecast
    percent = None if forecast is None else forecast.coverage_percent
    return "-" if percent is None else f"{percent:.1f} %"
