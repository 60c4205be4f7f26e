"""What to tell the user: the status, written only if it changed, and an event for each change that matters."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from prewarm_operator.api import names
from prewarm_operator.api.status import (
    AgentDeploymentStatus,
    Condition,
    StartupStatus,
)
from prewarm_operator.decide import reasons
from prewarm_operator.decide.condition import Verdict
from prewarm_operator.decide.conditions import conditions
from prewarm_operator.decide.plan import Event, Plan, Problem, Report
from prewarm_operator.decide.scaling_status import scaling_status, timestamp
from prewarm_operator.world.snapshot import Object, Snapshot

MESSAGE_LIMIT = 32768
"""Longest message of a condition that the API server takes; a webhook's refusal has no limit."""

_FOR_TOOLS = frozenset({"Reconciling", "Stalled"})
"""Conditions that repeat another one: they make no events of their own."""

_WARNING_REASONS = frozenset(
    {
        reasons.NAME_CONFLICT,
        reasons.CHILD_REFUSED,
        reasons.POD_REFUSED,
        reasons.STUCK,
        reasons.AUTOSCALER_ON_CHILD,
    }
)


def report(snapshot: Snapshot, plan: Plan, refusals: Sequence[Problem], now: datetime) -> Report:
    """The report after a plan's writes; `refusals` are what the API server refused of them."""
    problems = sorted({*plan.problems, *refusals}, key=lambda problem: (problem.reason, problem.message))
    verdicts = conditions(snapshot, plan, problems)
    old = snapshot.agent.status
    new = _status(snapshot, plan, verdicts, now)
    body = None if new == old else _merge_patch(_dump(old), _dump(new))
    return Report(body, (*plan.notices, *_events(old, new)))


def _dump(status: AgentDeploymentStatus) -> Object:
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


def _merge_patch(old: Object, new: Object) -> Object:
    """`new`, with null for what is no longer there: a merge patch leaves alone what it does not name."""
    patch = dict.fromkeys(old.keys() - new.keys()) | dict(new)
    for key in old.keys() & new.keys():
        if isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            patch[key] = _merge_patch(old[key], new[key])
    return patch


def _status(snapshot: Snapshot, plan: Plan, verdicts: Sequence[Verdict], now: datetime) -> AgentDeploymentStatus:
    agent = snapshot.agent
    deployment = snapshot.children.deployment
    counts = {} if deployment is None else deployment.get("status") or {}
    return AgentDeploymentStatus(
        observed_generation=agent.generation,
        desired_replicas=plan.scale.replicas,
        replicas=counts.get("replicas", 0),
        ready_replicas=counts.get("readyReplicas", 0),
        available_replicas=counts.get("availableReplicas", 0),
        updated_replicas=counts.get("updatedReplicas", 0),
        selector=f"{names.LABEL_AGENT}={agent.name}",
        revision=plan.revision,
        startup=_startup(snapshot),
        scaling=scaling_status(snapshot, plan.scale, now),
        conditions=tuple(_condition(verdict, agent.status.conditions, agent.generation, now) for verdict in verdicts),
    )


def _startup(snapshot: Snapshot) -> StartupStatus | None:
    measured = snapshot.start_times
    if measured is None:
        return snapshot.agent.status.startup  # what an operator before a restart has measured stays true
    return StartupStatus(
        created_to_ready_p50_seconds=round(measured.p50_seconds, 2),
        created_to_ready_p90_seconds=round(measured.p90_seconds, 2),
        samples=measured.samples,
    )


def _condition(verdict: Verdict, old: Sequence[Condition], generation: int, now: datetime) -> Condition:
    before = next((condition for condition in old if condition.type == verdict.type), None)
    since = timestamp(now)
    if before is not None and before.status == verdict.status:
        since = before.last_transition_time
    if before is not None and not verdict.is_of_this_generation:
        generation = before.observed_generation or generation
    return Condition(
        type=verdict.type,
        status=verdict.status,
        reason=verdict.reason,
        message=verdict.message[:MESSAGE_LIMIT],
        last_transition_time=since,
        observed_generation=generation,
    )


def _events(old: AgentDeploymentStatus, new: AgentDeploymentStatus) -> tuple[Event, ...]:
    """One for each reason: what two conditions say for the same one is one piece of news."""
    events: dict[str, Event] = {}
    if old.desired_replicas is not None and old.desired_replicas != new.desired_replicas and new.scaling is not None:
        change = f"from {old.desired_replicas} to {new.desired_replicas} pods: {new.scaling.message}"
        events[reasons.SCALED] = Event(warning=False, reason=reasons.SCALED, message=change)
    before = {condition.type: condition for condition in old.conditions}
    for condition in new.conditions:
        known = before.get(condition.type)
        is_news = known is None or (known.status, known.reason) != (condition.status, condition.reason)
        if is_news and condition.type not in _FOR_TOOLS and (event := _event(condition, known)) is not None:
            events.setdefault(event.reason, event)
    return tuple(events.values())


def _event(condition: Condition, known: Condition | None) -> Event | None:
    """A condition's change in words. A new object that is on its way is no news, one that cannot start is."""
    if condition.reason == reasons.BELOW_MINIMUM:
        bad = known is not None and known.status == "True"
    elif condition.reason == reasons.SCHEDULE_BELOW_MINIMUM:
        bad = True
    else:
        bad = condition.status == "False" and (condition.type == "AgentValid" or condition.reason in _WARNING_REASONS)
    if known is None and not bad:
        return None
    return Event(warning=bad, reason=condition.reason, message=f"{condition.type}: {condition.message}")


def report_unreadable(body: Object, problem: str, now: datetime) -> Report:
    """The report about an AgentDeployment that this version cannot read; `problem` says where.

    Nothing is decided about it and its children stay as they are.
    """
    old = [Condition.model_validate(entry) for entry in (body.get("status") or {}).get("conditions") or ()]
    message = f"this version of Prewarm cannot read the object, nothing is changed: {problem}"
    verdict = Verdict("AgentValid", "False", reasons.SPEC_NOT_UNDERSTOOD, message)
    condition = _condition(verdict, old, body["metadata"].get("generation", 0), now)
    if condition in old:
        return Report(None, ())
    others = [entry for entry in old if entry.type != condition.type]
    entries = [entry.model_dump(by_alias=True, exclude_none=True) for entry in (*others, condition)]
    return Report({"conditions": entries}, (Event(warning=True, reason=verdict.reason, message=message),))
