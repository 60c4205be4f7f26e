"""How many pods an AgentDeployment should have: its spec and a snapshot in the words of the scaling decision."""

import re
from functools import lru_cache

from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.api.scaling import ScheduleWindow
from prewarm_operator.decide import schedule
from prewarm_operator.decide.plan import Scale
from prewarm_operator.decide.scaling.decision import decide_scaling
from prewarm_operator.decide.scaling.model import Inputs, Mode, Pods, Policy, Verdict
from prewarm_operator.world.scaling import History, Signals
from prewarm_operator.world.snapshot import Object, Snapshot

TARGET_SHARE = 0.7
"""Of concurrencyLimit, where spec.targetConcurrency is not set: Knative's default utilization."""

_UNITS_SECONDS = {"h": 3600, "m": 60, "s": 1}


def scale(snapshot: Snapshot) -> Scale:
    """The number of pods, with every term of the decision."""
    spec = snapshot.agent.spec
    verdict, history = verdict_for(
        spec, snapshot.children.deployment, snapshot.signals, snapshot.history, snapshot.now, snapshot.taken_at
    )
    return Scale(
        replicas=verdict.own,
        reason=verdict.decided_by.reason,
        message=verdict.decided_by.message,
        again_after_seconds=verdict.again_after_seconds,
        verdict=None if Mode(spec.mode) is Mode.EXTERNAL else verdict,
        schedule_problem=next((problem for problem in map(_problem, _windows(spec.scaling.schedule)) if problem), None),
        history=history,
    )


def verdict_for(
    spec: AgentDeploymentSpec,
    deployment: Object | None,
    signals: Signals,
    history: History,
    now: float,
    epoch_seconds: float,
) -> tuple[Verdict, History]:
    """The decision without a snapshot, quick enough for every change of a load.

    `now` is monotonic, as the times of signals and history are; `epoch_seconds` is the same moment for windows.
    """
    inputs = Inputs(
        policy=policy(spec),
        pods=Pods(own=0 if deployment is None else deployment["spec"].get("replicas", 1)),
        epoch_seconds=epoch_seconds,
        reading=signals.reading,
        forecast=signals.forecast,
        schedule=scheduled(spec, epoch_seconds),
        upstream=signals.upstream,
        fault=signals.fault,
    )
    return decide_scaling(inputs, history, now)


def policy(spec: AgentDeploymentSpec) -> Policy:
    """What the user set."""
    limit = spec.concurrency_limit
    return Policy(
        mode=Mode(spec.mode),
        low=spec.min_replicas,
        high=spec.max_replicas,
        concurrency_limit=limit,
        target_concurrency=spec.target_concurrency or TARGET_SHARE * limit,
        headroom=spec.scaling.headroom,
        paused=spec.scaling.paused,
        spec_replicas=spec.replicas,
    )


def scheduled(spec: AgentDeploymentSpec, epoch_seconds: float, ahead_seconds: float = 0.0) -> schedule.Present:
    """What the windows that can be understood ask for in `ahead_seconds`: always the same, or it is looked up anew."""
    return _calendar(spec.scaling.schedule, ahead_seconds).at(epoch_seconds + ahead_seconds)


@lru_cache(maxsize=4000)
def _calendar(scheduled: tuple[ScheduleWindow, ...], _ahead_seconds: float) -> schedule.Calendar:
    return schedule.Calendar(window for window in _windows(scheduled) if _problem(window) is None)


@lru_cache(maxsize=1000)
def _windows(scheduled: tuple[ScheduleWindow, ...]) -> tuple[schedule.Window, ...]:
    return tuple(
        schedule.Window(window.name, window.time_zone, window.start, _seconds(window.duration), window.replicas)
        for window in scheduled
    )


@lru_cache(maxsize=1000)
def _problem(window: schedule.Window) -> str | None:
    return schedule.check(window, f"spec.scaling.schedule[{window.name}]")


def _seconds(duration: str) -> float:
    return float(sum(int(count) * _UNITS_SECONDS[unit] for count, unit in re.findall(r"(\d+)([hms])", duration)))
