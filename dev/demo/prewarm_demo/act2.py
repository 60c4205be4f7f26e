"""Act 2: a recorded morning at speed, for an agent that starts slowly. Prewarm, and the reactive rule alone."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from prewarm_demo.cluster.access import REPOSITORY
from prewarm_demo.cluster.pods import PodObserver
from prewarm_demo.install import MANIFESTS, install, release
from prewarm_demo.ramp import openmetrics
from prewarm_demo.ramp.outcome import SLOW_FACTOR, RampSummary, summarize, unloaded
from prewarm_demo.ramp.plan import ANSWER_SECONDS, SEED, RampPlan
from prewarm_demo.ramp.prometheus import SCRAPE_SECONDS, prometheus
from prewarm_demo.ramp.reactive import ReactiveRule
from prewarm_demo.ramp.replay import Replay, read, replay, scraped
from prewarm_demo.ramp.table import ramp_table
from prewarm_demo.report.results import Figures, Outcome
from prewarm_demo.sides import IN_NAMESPACE
from prewarm_demo.summary import percentile
from prewarm_demo.trial.load_pod import LoadPod
from prewarm_demo.trial.side import Trial, beside
from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide.scale import policy

RECORD = REPOSITORY / "dev/demo/traces/burstgpt-week1.csv"
# An hour of the record in a minute: from seven until noon of its sixth day, and the five days before as history.
SPEED, DAY, HOURS = 60.0, 5, (7, 12)
PEAK_REQUESTS = 28.0
PREWARM, REACTIVE = "ramp", "ramp-reactive"
# Before the load: its pods start, and both generators are there to begin at the same moment.
LEAD_SECONDS = 15.0
TIMELINE_SECONDS = 5.0


@dataclass
class Side:
    """One of the two agents under the load."""

    title: str
    agent: str
    pods: PodObserver
    load: LoadPod


async def run(trial: Trial) -> Outcome:
    """Back-fill, install, run both sides under the same load at the same time, and show them side by side."""
    record, bin_seconds = read(RECORD)
    morning = replay(record, bin_seconds, speed=SPEED, day=DAY, hours=HOURS, peak=PEAK_REQUESTS)
    trial.narrator.heading("A Prometheus that knows the days before")
    async with prometheus(trial.api, trial.namespace, _history(trial, morning)) as url:
        await install(trial.commands, {"prometheus.url": url})
        await _slow_model(trial)
        sides = [_side(trial, "Prewarm", PREWARM), _side(trial, "reactive rule alone", REACTIVE)]
        async with beside(*(side.pods.watch() for side in sides)):
            rule = await _agents(trial, sides[1].pods)
            async with beside(rule.run()):
                span, timeline = await _replay(trial, sides, morning)
            summaries = _summaries(sides, span)
    await release(trial.commands)  # without the Prometheus, which ends with this act
    trial.narrator.say("")
    trial.narrator.table(ramp_table(summaries, _threshold_seconds(sides)))
    ours, theirs = summaries
    return Outcome(_figures(ours, theirs), _details(summaries, morning, timeline), broken_promises(ours, theirs))


def _history(trial: Trial, morning: Replay) -> str:
    in_flight = scraped(morning, ANSWER_SECONDS, SCRAPE_SECONDS, seed=SEED + 1)
    hours = len(in_flight) * SCRAPE_SECONDS / 3600
    trial.narrator.say(
        f"{DAY} days of {RECORD.relative_to(REPOSITORY)}, {SPEED:g} times as fast: {hours:.1f} hours until now."
    )
    labels = {"namespace": trial.namespace, "agent": PREWARM}
    return openmetrics.text(in_flight, **labels, end_epoch_seconds=int(time.time()), scrape_seconds=SCRAPE_SECONDS)


async def _slow_model(trial: Trial) -> None:
    latency = {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/args/2",
        "value": f"--latency-seconds={ANSWER_SECONDS:g}",
    }
    await trial.commands.kubectl(
        "patch", "deployment/model-server", IN_NAMESPACE, "--type=json", f"--patch={json.dumps([latency])}"
    )
    await trial.commands.kubectl("rollout", "status", "deployment/model-server", IN_NAMESPACE, "--timeout=120s")


def _side(trial: Trial, title: str, agent: str) -> Side:
    pods = PodObserver(trial.api, trial.namespace, f"prewarm.dev/agent={agent}")
    return Side(title, agent, pods, LoadPod(trial.commands, trial.namespace, f"load-{agent}"))


async def _agents(trial: Trial, reactive_pods: PodObserver) -> ReactiveRule:
    """Create both agents and wait for their first pods. Gives the rule that is to scale the second one."""
    kubectl = trial.commands.kubectl
    await kubectl(*("create", "configmap", "ramp-agent", f"--from-file={MANIFESTS}/ramp_agent.py", IN_NAMESPACE))
    await kubectl("apply", f"--filename={MANIFESTS}/ramp.yaml", IN_NAMESPACE)
    manifest: dict[str, Any] = yaml.safe_load((REPOSITORY / MANIFESTS / "ramp.yaml").read_text())
    spec = AgentDeploymentSpec.model_validate(manifest["spec"])
    manifest["metadata"]["name"] = REACTIVE
    manifest["spec"]["mode"] = "External"
    await kubectl("apply", "--filename=-", IN_NAMESPACE, stdin=json.dumps(manifest))
    for agent in (PREWARM, REACTIVE):
        await kubectl("wait", "--for=condition=Ready", f"agentdeployment/{agent}", IN_NAMESPACE, "--timeout=180s")
    return ReactiveRule(trial.api, trial.commands, reactive_pods, (trial.namespace, REACTIVE), policy(spec))


async def _replay(
    trial: Trial, sides: list[Side], morning: Replay
) -> tuple[tuple[float, float], list[dict[str, float]]]:
    """Put both sides under the load. Gives its begin and end on the monotonic clock, and pods over time."""
    trial.narrator.heading(f"From {HOURS[0]} o'clock until {HOURS[1]}, in {morning.seconds / 60:g} minutes")
    begin_epoch_seconds = time.time() + LEAD_SECONDS
    begin = time.monotonic() + LEAD_SECONDS
    await asyncio.gather(
        *(
            side.load.start(
                RampPlan(morning, side.agent, begin_epoch_seconds), f"http://{side.agent}/v1/chat/completions"
            )
            for side in sides
        )
    )
    timeline: list[dict[str, float]] = []
    async with beside(_show(trial, sides), _record(sides, begin, timeline)), asyncio.TaskGroup() as group:
        for side in sides:
            group.create_task(side.load.follow())
    trial.narrator.end_live()
    return (begin, begin + morning.seconds), timeline


async def _show(trial: Trial, sides: list[Side]) -> None:
    while True:
        parts = [
            f"{side.title}: {len(side.pods.serving)} of {_alive(side)} pods, {side.load.progress.failed} failed"
            for side in sides
        ]
        trial.narrator.live(f"{sides[0].load.progress.elapsed_seconds:3.0f} s · {' · '.join(parts)}")
        await asyncio.sleep(1)


async def _record(sides: list[Side], begin: float, timeline: list[dict[str, float]]) -> None:
    while True:
        entry: dict[str, float] = {"seconds": round(time.monotonic() - begin, 1)}
        for side in sides:
            entry |= {f"{side.agent}_pods": _alive(side), f"{side.agent}_serving": len(side.pods.serving)}
        timeline.append(entry)
        await asyncio.sleep(TIMELINE_SECONDS)


def _alive(side: Side) -> int:
    return sum(not pod.ended and not pod.terminating for pod in side.pods.pods)


def _threshold_seconds(sides: list[Side]) -> float:
    places = yaml.safe_load((REPOSITORY / MANIFESTS / "ramp.yaml").read_text())["spec"]["concurrencyLimit"]
    free = [latency for side in sides for latency in unloaded(side.load.records, places)]
    return SLOW_FACTOR * percentile(free, 95)


def _summaries(sides: list[Side], span: tuple[float, float]) -> list[RampSummary]:
    threshold_seconds = _threshold_seconds(sides)
    return [
        summarize(side.title, side.load.records, side.pods.pods, threshold_seconds=threshold_seconds, span=span)
        for side in sides
    ]


def _figures(ours: RampSummary, theirs: RampSummary) -> Figures:
    return {
        "ramp_slow_share_prewarm": round(ours.slow_share, 6),
        "ramp_slow_share_reactive": round(theirs.slow_share, 6),
        "ramp_pod_seconds_prewarm": round(ours.pod_seconds),
        "ramp_pod_seconds_reactive": round(theirs.pod_seconds),
    }


def _details(summaries: list[RampSummary], morning: Replay, timeline: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "sides": [asdict(summary) for summary in summaries],
        "requests_at_once": morning.load,
        "step_seconds": morning.step_seconds,
        "timeline": timeline,
    }


def broken_promises(ours: RampSummary, theirs: RampSummary) -> list[str]:
    """One sentence for each thing that Prewarm promises and this run did not show."""
    broken = []
    if ours.slow_share >= theirs.slow_share:
        shares = f"{ours.slow_share:.2%} of Prewarm's answers were slow, {theirs.slow_share:.2%} of the reactive rule's"
        broken.append(f"{shares}; it must be fewer.")
    other = {outcome: count for outcome, count in ours.failures.items() if outcome != "status 429"}
    if other:
        broken.append(f"requests to Prewarm failed otherwise than for want of a place ({other}); none may.")
    return broken
