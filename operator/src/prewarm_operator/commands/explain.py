"""`prewarm explain NAME`: why there are this many pods, now and in the last hour."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from rich.console import RenderableType
from rich.table import Table

from prewarm_operator.api.status import ForecastStatus, ScalingChange, ScalingTerm
from prewarm_operator.commands import access
from prewarm_operator.commands.access import Cluster
from prewarm_operator.commands.health import NO_STATUS, not_as_it_should_be
from prewarm_operator.commands.tables import cell, show, table
from prewarm_operator.decide.scaling_status import HISTORY_LENGTH
from prewarm_operator.render.agent import Agent

TOLD = timedelta(hours=1)
RECENT = timedelta(hours=12)
DECIDES = "->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("name", help="of the AgentDeployment")
    access.add_arguments(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    async def work(cluster: Cluster) -> int:
        agent = await cluster.read(options.name)
        show(explanation(agent, datetime.now(UTC)))
        return 0

    return access.run(options, "explain", work)


def explanation(agent: Agent, now: datetime) -> Iterator[RenderableType]:
    """What to print, part by part; `now` ends the last hour."""
    status, spec = agent.status, agent.spec
    scaling = status.scaling
    yield cell(f"{agent.namespace}/{agent.name}, mode {spec.mode}", "bold")
    if scaling is None or status.desired_replicas is None:
        yield cell(NO_STATUS)
        return
    yield cell(
        f"{status.desired_replicas} pods wanted, {status.ready_replicas or 0} ready, "
        f"between {spec.min_replicas} and {spec.max_replicas}"
    )
    yield cell(f"{scaling.reason}: {scaling.message}")
    if scaling.auto_replicas is not None:
        yield cell(f"mode Auto would have {scaling.auto_replicas} pods")
    if scaling.forecast is not None:
        yield cell(_quality(scaling.forecast))
    if scaling.terms:
        yield ""
        yield _terms(scaling.terms)
    conditions = not_as_it_should_be(status)
    if conditions:
        made = table("condition", "is", "since (UTC)", "reason", "message")
        for each in conditions:
            since = _clock(each.last_transition_time, now)
            made.add_row(*map(cell, (each.type, each.status, since, each.reason, each.message)))
        yield ""
        yield made
    yield ""
    yield from _last_hour(scaling.history or (), now)


def _quality(forecast: ForecastStatus) -> str:
    """How good the forecast was."""
    words = f"forecast: looks {forecast.horizon_seconds:g} s ahead"
    if forecast.coverage_percent is not None:
        words += f"; its 95 % bound was high enough for {forecast.coverage_percent:g} % of the last hour's loads"
    if forecast.pinball_loss is not None:
        words += f" (pinball loss {forecast.pinball_loss:g})"
    return words if forecast.message is None else f"{words}; {forecast.message}"


def _terms(terms: Sequence[ScalingTerm]) -> Table:
    """All parts of the decision in their order; an arrow leads to the one that sets the number."""
    made = table("", "term", "pods", "reason", "message", numbers=("pods",))
    for term in terms:
        pods = "-" if term.replicas is None else term.replicas
        values = (DECIDES if term.decides else "", term.name, pods, term.reason, term.message)
        made.add_row(*(cell(value, "bold" if term.decides else "") for value in values))
    return made


def _last_hour(history: Sequence[ScalingChange], now: datetime) -> Iterator[RenderableType]:
    recent = [change for change in history if now - datetime.fromisoformat(change.time) <= TOLD]
    if not recent:
        yield cell("In the last hour the number has not changed.")
        return
    made = table("time (UTC)", "pods", "reason", "message", numbers=("pods",))
    for change in recent:
        begun = "" if change.since is None else f"{_clock(change.since, now)}-"
        time = begun + _clock(change.time, now)
        pods = f"{change.from_} -> {change.to}{' (Auto)' if change.observed else ''}"
        made.add_row(*map(cell, (time, pods, change.reason, change.message)))
    yield made
    if len(recent) == HISTORY_LENGTH:
        yield cell(f"Earlier changes of this hour are not kept: the status holds the latest {HISTORY_LENGTH}.")


def _clock(timestamp: str, now: datetime) -> str:
    """The time of day, with the date where it was not lately."""
    time = datetime.fromisoformat(timestamp).astimezone(UTC)
    return f"{time:%H:%M:%S}" if now - time < RECENT else f"{time:%Y-%m-%d %H:%M}"
