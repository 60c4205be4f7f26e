"""The four conditions of an AgentDeployment, each a verdict (status, reason, message) about one aspect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prewarm_operator.decide import reasons
from prewarm_operator.decide.plan import Plan, Problem
from prewarm_operator.world.pods import PodView
from prewarm_operator.world.snapshot import Object, Snapshot

Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Verdict:
    """What holds for one condition, and why."""

    type: str
    status: Status
    reason: str
    message: str


def conditions(snapshot: Snapshot, plan: Plan, problems: Sequence[Problem]) -> tuple[Verdict, ...]:
    """All four. `problems` are those of the plan and those that the writes met."""
    valid = agent_valid(snapshot, plan)
    return (
        ready(snapshot, problems),
        warm(snapshot, plan),
        progressing(snapshot, plan, problems, valid),
        valid,
    )


def agent_valid(snapshot: Snapshot, plan: Plan) -> Verdict:
    """Whether the current revision can be started at all: a fault of any of its pods speaks against it."""
    current = [pod for pod in snapshot.pods if pod.revision == plan.revision and not pod.terminating]
    for pod in current:
        if pod.fault is not None:
            return Verdict("AgentValid", "False", pod.fault.reason, f"{pod.fault.message} (pod {pod.name})")
    if any(pod.ready for pod in current):
        return Verdict("AgentValid", "True", reasons.AGENT_LOADED, "the agent was loaded and warmed up")
    crash = next((pod for pod in current if pod.crash is not None), None)
    if crash is not None and crash.crash is not None:
        return Verdict("AgentValid", "Unknown", crash.crash.reason, f"{crash.crash.message} (pod {crash.name})")
    return Verdict("AgentValid", "Unknown", reasons.NO_POD_WARM_YET, "no pod of the current revision is warm yet")


def warm(snapshot: Snapshot, plan: Plan) -> Verdict:
    """Whether every wanted pod is warm, of whichever revision."""
    count = sum(pod.ready for pod in snapshot.pods)
    wanted = plan.scale.replicas
    message = f"{count} of {wanted} pods are warm"
    if count >= wanted:
        return Verdict("Warm", "True", reasons.ALL_WARM, message)
    return Verdict("Warm", "False", reasons.WARMING_UP, message + _first_obstacle(snapshot.pods))


def ready(snapshot: Snapshot, problems: Sequence[Problem]) -> Verdict:
    """Whether users are served by at least the minimum, and nothing is in the way of keeping it so."""
    if problems:
        return Verdict("Ready", "False", problems[0].reason, "; ".join(problem.message for problem in problems))
    count = sum(pod.ready for pod in snapshot.pods)
    minimum = snapshot.agent.spec.min_replicas
    if count >= minimum:
        return Verdict("Ready", "True", reasons.MINIMUM_SERVES, f"at least {minimum} warm pods serve")
    return Verdict("Ready", "False", reasons.BELOW_MINIMUM, f"{count} warm pods serve, spec.minReplicas is {minimum}")


def progressing(snapshot: Snapshot, plan: Plan, problems: Sequence[Problem], valid: Verdict) -> Verdict:
    """Whether a change is on its way that will end by itself."""
    deployment = snapshot.children.deployment
    if problems:
        return Verdict("Progressing", "False", reasons.STUCK, problems[0].message)
    if valid.status == "False":
        return Verdict("Progressing", "False", reasons.STUCK, f"the current revision cannot start: {valid.message}")
    if deployment is not None and (late := _deadline_exceeded(deployment)) is not None:
        return Verdict("Progressing", "False", reasons.STUCK, late)
    status = {} if deployment is None else deployment.get("status") or {}
    wanted = plan.scale.replicas
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    if plan.writes or not _observed(deployment) or updated < min(wanted, total) or total > max(wanted, updated):
        return Verdict(
            "Progressing", "True", reasons.ROLLING_OUT, f"{updated} of {wanted} pods have the current revision"
        )
    available = status.get("availableReplicas", 0)
    if total != wanted or available < wanted:
        return Verdict("Progressing", "True", reasons.SCALING, f"{available} of {wanted} pods are available")
    return Verdict("Progressing", "False", reasons.SETTLED, f"all {wanted} pods have the current revision")


def _observed(deployment: Object | None) -> bool:
    if deployment is None:
        return False
    status = deployment.get("status") or {}
    return bool(status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0))


def _deadline_exceeded(deployment: Object) -> str | None:
    for entry in (deployment.get("status") or {}).get("conditions") or ():
        if entry["type"] == "Progressing" and entry["status"] == "False":
            return f"the Deployment made no progress in time: {entry.get('message', entry.get('reason', ''))}"
    return None


def _first_obstacle(pods: Sequence[PodView]) -> str:
    obstacle = next((pod.fault or pod.crash for pod in pods if pod.fault or pod.crash), None)
    return "" if obstacle is None else f": {obstacle.message}"
