"""How many pods, and why: the steps in their order."""

from collections.abc import Iterable
from typing import NamedTuple

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling import limits, pace, terms
from prewarm_operator.decide.scaling.by_spec import by_spec
from prewarm_operator.decide.scaling.model import Inputs, Mode, Policy, Term, Verdict
from prewarm_operator.decide.scaling.trust import counts, trust
from prewarm_operator.signals.reading import Validity
from prewarm_operator.world.scaling import History

BLIND = (reasons.LOAD_UNKNOWN, reasons.LOAD_PARTLY_KNOWN)
SOONEST_SECONDS = 0.1
NO_DEMAND = Term("reactive", 0, reasons.LOAD_UNKNOWN, "nothing asks for pods")


class _Wanted(NamedTuple):
    """What sets the number before anything slows it.

    Attributes:
        term: it.
        asked: all terms until there.
        lasting: how many of these pods are for more than a passing peak.
        awaited_until: when the time comes for which the rest is, in monotonic seconds.
    """

    term: Term
    asked: list[Term]
    lasting: int
    awaited_until: float


def decide_scaling(inputs: Inputs, history: History, now: float) -> tuple[Verdict, History]:
    """The number of pods for what is known now, and the history for the next decision.

    It is max(reactive, forecast, schedule) + headroom; not below what there is, as far as that is needed soon or the
    load is unknown; within the bounds. It rises at once and falls after stabilization, at a bounded rate.
    """
    policy = inputs.policy
    if policy.mode is Mode.EXTERNAL:
        term = by_spec(policy.spec_replicas, policy.low, max(policy.low, policy.high))
        return _verdict(inputs, term, (term,), now), History()
    current = inputs.pods.own + inputs.pods.claimed if history.replicas is None else history.replicas
    since = limits.failing_since(inputs.upstream, history.upstream_above_since, now)
    wanted = _wanted(inputs, since, current, now)
    awaited = pace.within(history.awaited, now, 0.0)
    if policy.paused:
        decided = _paused(policy, current)
        slowed: tuple[Term, ...] = (decided,)
        recommended: pace.Dated = ((now, current),)
    else:
        recommended = history.recommended or ((now, current),)
        recommended = pace.remember(recommended, wanted.lasting, now, policy.stabilization_seconds)
        if wanted.awaited_until > now:
            awaited = pace.remember(awaited, _count(wanted.term), wanted.awaited_until, wanted.awaited_until - now)
        slowing = History(None, recommended, awaited, history.changes)
        decided, slowed = _slowed(inputs, slowing, wanted.term, current, now)
    total = _count(decided)
    changes = _changes(policy, history.changes, total - current, now)
    verdict = _verdict(inputs, decided, (*wanted.asked, *slowed), now)
    return verdict, History(total, recommended, awaited, changes, since)


def _wanted(inputs: Inputs, since: float | None, current: int, now: float) -> _Wanted:
    policy, forecast = inputs.policy, inputs.forecast
    validity, problem = trust(inputs.reading, now)
    asked: list[Term] = []
    no_forecast = counts(forecast, now)
    if inputs.reading is not None and validity is not Validity.INVALID:
        asked.append(terms.reactive(inputs, inputs.reading, no_forecast is None))
    if no_forecast is not None:
        asked.append(no_forecast)
    elif forecast is not None:
        asked.append(terms.predictive(inputs, forecast))
    schedule = terms.scheduled(inputs, now)
    if schedule is not None:
        asked.append(schedule)
    decided = _greatest(NO_DEMAND, asked)
    if policy.headroom:
        decided = terms.headroom(decided, policy.headroom)
        asked.append(decided)
    if forecast is not None and no_forecast is None:
        asked.append(terms.needed_soon(inputs, forecast, current))
    if validity is not Validity.VALID:
        asked.append(terms.unknown(validity, problem, current))
    decided = _greatest(decided, asked)
    if inputs.fault is not None:
        asked.append(terms.faulty(inputs.fault))
    planned = 0 if schedule is None or schedule.replicas is None else schedule.replicas + policy.headroom
    limit = limits.upstream_limit(since, inputs.upstream, max(current, planned), now)
    if limit is not None:
        asked.append(limit)
        decided = limit if limit.replicas is not None and limit.replicas < _count(decided) else decided
    bound = limits.bounded(policy, _count(decided))
    if bound is not None:
        asked.append(bound)
        decided = bound
    if forecast is None or no_forecast is not None or validity is not Validity.VALID:
        return _Wanted(decided, asked, _count(decided), now)
    lasting = min(_count(decided), terms.pods_later(inputs, forecast))
    return _Wanted(decided, asked, lasting, forecast.at_seconds + forecast.horizon_seconds)


def _slowed(inputs: Inputs, history: History, wanted: Term, current: int, now: float) -> tuple[Term, tuple[Term, ...]]:
    """What sets the number now, and what stands between it and the wanted one. The bounds count at once."""
    stabilized = limits.stabilized(inputs, history, _count(wanted), current, now)
    decided = stabilized or wanted
    paced = limits.paced(inputs.policy, history.changes, _count(decided), current, now)
    decided = paced or decided
    bound = limits.bounded(inputs.policy, _count(decided))
    return bound or decided, tuple(term for term in (stabilized, paced, bound) if term is not None)


def _paused(policy: Policy, current: int) -> Term:
    count = min(max(current, policy.low), max(policy.low, policy.high))
    message = f"spec.scaling.paused is true: the {count} pods stay"
    if count != current:
        message = f"spec.scaling.paused is true, but the bounds allow {count} pods, not {current}"
    return Term("pause", count, reasons.PAUSED, message)


def _greatest(decided: Term, asked: Iterable[Term]) -> Term:
    """The term that asks for the most; of equal ones the first."""
    for term in asked:
        if term.replicas is not None and term.replicas > _count(decided):
            decided = term
    return decided


def _count(term: Term) -> int:
    assert term.replicas is not None
    return term.replicas


def _changes(policy: Policy, changes: pace.Dated, change: int, now: float) -> pace.Dated:
    longest = max(policy.down.period_seconds, 0.0 if policy.up is None else policy.up.period_seconds)
    kept = pace.within(changes, now, longest)
    return (*kept, (now, change)) if change else kept


def _verdict(inputs: Inputs, auto: Term, used: Iterable[Term], now: float) -> Verdict:
    policy, used = inputs.policy, tuple(used)
    decided = auto
    if policy.mode is Mode.OBSERVE:
        decided = by_spec(policy.spec_replicas, policy.low, max(policy.low, policy.high))
    total, pods = _count(decided), inputs.pods
    # Claimed pods go first; what stays of them never takes the place of the minimum.
    claimed = min(pods.claimed, max(0, policy.high - policy.low), max(0, total - pods.own))
    limited = any(term.reason == reasons.UPSTREAM_LIMITED and term.replicas is not None for term in used)
    ends = [term.until_seconds for term in used if term.until_seconds is not None]
    return Verdict(
        replicas=total,
        own=max(policy.low, total - claimed),
        claimed=claimed,
        decided_by=decided,
        auto=auto,
        terms=used,
        blind=any(term.reason in BLIND for term in used),
        may_claim=policy.mode is Mode.AUTO and not policy.paused and not limited,
        again_after_seconds=max(SOONEST_SECONDS, min(ends) - now) if ends else None,
    )
