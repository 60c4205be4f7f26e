"""The condition ScalingActive: a chain of checks, of which the first that has something to say is told."""

from collections.abc import Callable

from prewarm_operator.decide import reasons
from prewarm_operator.decide.condition import Status, Verdict
from prewarm_operator.decide.plan import Plan
from prewarm_operator.decide.scaling.model import Mode
from prewarm_operator.decide.scaling.terms import PROMETHEUS
from prewarm_operator.world.snapshot import Snapshot

_HINDRANCES = frozenset({reasons.PAUSED, reasons.LOAD_UNKNOWN, reasons.LOAD_PARTLY_KNOWN, reasons.UPSTREAM_LIMITED})
"""Why the number of pods does not follow the load."""


def scaling_active(snapshot: Snapshot, plan: Plan) -> Verdict:
    """Whether the number of pods follows the AgentDeployment and, in mode Auto, its load."""
    told = (check(snapshot, plan) for check in _CHECKS)
    found = next((verdict for verdict in told if verdict is not None), None)
    return found or _verdict("True", reasons.PREWARM_SCALES, "the number of pods follows the AgentDeployment")


def _autoscaler_on_child(_: Snapshot, plan: Plan) -> Verdict | None:
    if plan.scale.reason != reasons.AUTOSCALER_ON_CHILD:
        return None
    return _verdict("False", plan.scale.reason, plan.scale.message)


def _autoscaler_not_read(snapshot: Snapshot, _: Plan) -> Verdict | None:
    if Mode(snapshot.agent.spec.mode) is not Mode.AUTO or not snapshot.autoscalers.of_the_agent:
        return None
    who = " and ".join(snapshot.autoscalers.of_the_agent)
    message = f"{who} sets spec.replicas, which mode Auto does not read: delete it, or set spec.mode to External"
    return _verdict("False", reasons.AUTOSCALER_NOT_READ, message)


def _schedule_not_understood(_: Snapshot, plan: Plan) -> Verdict | None:
    problem = plan.scale.schedule_problem
    return None if problem is None else _verdict("False", reasons.SCHEDULE_NOT_UNDERSTOOD, problem)


def _hindrance(_: Snapshot, plan: Plan) -> Verdict | None:
    terms = () if plan.scale.verdict is None else plan.scale.verdict.terms
    found = next((term for term in terms if term.reason in _HINDRANCES and term.replicas is not None), None)
    return None if found is None else _verdict("False", found.reason, found.message)


def _known_without_prometheus(_: Snapshot, plan: Plan) -> Verdict | None:
    terms = () if plan.scale.verdict is None else plan.scale.verdict.terms
    fault = next((term for term in terms if term.name == PROMETHEUS), None)
    return None if fault is None else _verdict("True", fault.reason, f"the load is known without it: {fault.message}")


def _schedule_below_minimum(snapshot: Snapshot, plan: Plan) -> Verdict | None:
    spec = snapshot.agent.spec
    low = next((window for window in spec.scaling.schedule if window.replicas < spec.min_replicas), None)
    if plan.scale.verdict is None or low is None:
        return None
    message = (
        f"spec.scaling.schedule[{low.name}].replicas {low.replicas} does not lower spec.minReplicas "
        f"{spec.min_replicas}, which wins: raise the one or lower the other"
    )
    return _verdict("True", reasons.SCHEDULE_BELOW_MINIMUM, message)


def _verdict(status: Status, reason: str, message: str) -> Verdict:
    return Verdict("ScalingActive", status, reason, message)


_CHECKS: tuple[Callable[[Snapshot, Plan], Verdict | None], ...] = (
    _autoscaler_on_child,
    _autoscaler_not_read,
    _schedule_not_understood,
    _hindrance,
    _known_without_prometheus,
    _schedule_below_minimum,
)
