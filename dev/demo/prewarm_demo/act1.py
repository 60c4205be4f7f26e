"""Act 1: an agent is scaled, rolled and killed under load. First Prewarm, then the pattern users come from."""

from __future__ import annotations

from dataclasses import asdict
from statistics import fmean

from prewarm_demo.cluster.agent_metrics import AgentMetrics, PodReadings
from prewarm_demo.cluster.pods import PodObserver
from prewarm_demo.errors import DemoError
from prewarm_demo.install import install
from prewarm_demo.report.results import Figures, Outcome
from prewarm_demo.report.table import SideReport, comparison
from prewarm_demo.sides import IN_NAMESPACE, naive, prewarm
from prewarm_demo.summary import percentile, summarize
from prewarm_demo.trial.load_pod import LoadPlan
from prewarm_demo.trial.side import Side, SideRun, Trial, beside, run_side
from prewarm_demo.trial.sigkill import KillRun, run_kill

# 84 s on each side: what two sides, the installation and the cleaning up between them leave of four minutes.
PLAN = LoadPlan(rate_per_second=60, requests=5040, seed=1)
KILL_PLAN = LoadPlan(rate_per_second=60, requests=480, seed=2)

MAX_SLOW_SHARE = 0.001
MAX_CREATED_TO_READY_P90_SECONDS = 15


async def run(trial: Trial) -> Outcome:
    """Run both sides, one after the other on the same machine, and show them side by side."""
    trial.narrator.heading("Install")
    await install(trial.commands)
    ours, kill = await _prewarm_side(trial, prewarm(trial.commands))
    theirs = await _naive_side(trial, naive(trial.commands))
    trial.narrator.say("")
    trial.narrator.table(comparison("The same requests at the same times, the same events", [ours, theirs]))
    if kill is not None:
        trial.narrator.say(f"Apart: {kill.describe()}")
    figures = _figures(ours, theirs)
    details = {side.name: asdict(side) for side in (ours, theirs)} | {"sigkill": kill and asdict(kill)}
    return Outcome(figures, details, broken_promises(ours))


async def _prewarm_side(trial: Trial, side: Side) -> tuple[SideReport, KillRun | None]:
    pods = PodObserver(trial.api, trial.namespace, side.selector)
    metrics = AgentMetrics(trial.api, trial.namespace, pods)
    async with beside(pods.watch(), metrics.watch()):
        trial.narrator.heading("Prewarm")
        await side.start()
        run = await run_side(trial, side, PLAN, pods)
        report = _report(side, run, pods, metrics)  # before the kill, which starts the counters of one pod anew
        trial.narrator.heading("Prewarm, apart: SIGKILL of a container")
        kill = await run_kill(trial, side, KILL_PLAN, pods, metrics)
    await trial.commands.kubectl("delete", "agentdeployment/support", IN_NAMESPACE)
    await trial.commands.kubectl(
        *("wait", "--for=delete", "pod", f"--selector={side.selector}", IN_NAMESPACE, "--timeout=120s")
    )
    return report, kill


async def _naive_side(trial: Trial, side: Side) -> SideReport:
    pods = PodObserver(trial.api, trial.namespace, side.selector)
    async with beside(pods.watch()):
        trial.narrator.heading("The pattern users come from: client and agent built in the handler")
        await side.start()
        run = await run_side(trial, side, PLAN, pods)
    return _report(side, run, pods, None)


def _report(side: Side, run: SideRun, pods: PodObserver, metrics: AgentMetrics | None) -> SideReport:
    if metrics is not None and metrics.unread():
        names = ", ".join(pod.name for pod in metrics.unread())
        raise DemoError(f"{names}: served, and their metrics could not be read once, so no sum over all pods exists.")
    return SideReport(
        name=side.name,
        summary=summarize(run.records, first_event_seconds=run.events[0].began_seconds),
        start_seconds=[pod.start_seconds for pod in pods.pods if pod.start_seconds is not None],
        events=run.events,
        phases=mean_phases(list(metrics.readings.values())) if metrics else {},
        built_after_warm=metrics.built_after_warm if metrics else None,
    )


def mean_phases(readings: list[PodReadings]) -> dict[str, float]:
    """Seconds of each startup phase, the mean over all pods, in the order in which they run."""
    names = dict.fromkeys(name for pod in readings for name in pod.last.phases)
    return {name: fmean(pod.last.phases[name] for pod in readings if name in pod.last.phases) for name in names}


def _figures(ours: SideReport, theirs: SideReport) -> Figures:
    return {
        "prewarm_failed": ours.summary.failed,
        "prewarm_slow_share": round(ours.summary.slow_share, 6),
        "prewarm_p99_ms": round(ours.summary.p99_seconds * 1000, 1),
        "naive_failed": theirs.summary.failed,
        "naive_slow_share": round(theirs.summary.slow_share, 6),
        "naive_p99_ms": round(theirs.summary.p99_seconds * 1000, 1),
        "pod_created_to_ready_p90_s": round(percentile(ours.start_seconds, 90), 2),
        "resources_built_after_warm": ours.built_after_warm,
    }


def broken_promises(report: SideReport) -> list[str]:
    """One sentence for each thing that Prewarm promises and this run did not show."""
    summary, start_seconds = report.summary, percentile(report.start_seconds, 90)
    broken = []
    if summary.failed:
        broken.append(f"{summary.failed} requests to Prewarm failed ({summary.failures}); none may.")
    if summary.slow_share > MAX_SLOW_SHARE:
        broken.append(f"{summary.slow_share:.3%} of Prewarm's answers were slow; at most {MAX_SLOW_SHARE:.1%} may be.")
    if report.built_after_warm:
        broken.append(f"{report.built_after_warm:g} resources were built by pods that were already warm; none may be.")
    if start_seconds > MAX_CREATED_TO_READY_P90_SECONDS:
        broken.append(f"pods took {start_seconds:.1f} s (p90) to be Ready; at most {MAX_CREATED_TO_READY_P90_SECONDS}.")
    broken += [
        f"'{event.name}' took longer than the load, so no request saw its end." for event in report.events
        if not event.under_load
    ]  # fmt: skip
    return broken
