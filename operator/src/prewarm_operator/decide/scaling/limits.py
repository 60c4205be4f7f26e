"""What bounds the number of pods or slows its change. Each returns the term that applies, or None."""

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling import pace
from prewarm_operator.decide.scaling.model import Inputs, Policy, Term
from prewarm_operator.decide.scaling.terms import clock
from prewarm_operator.signals.reading import FRESH_SECONDS, Upstream
from prewarm_operator.world.scaling import History

UPSTREAM_ERROR_SHARE = 0.3
UPSTREAM_SECONDS = 30.0
"""A model API that fails this often for this long is what users wait for, not pods."""


def failing_since(upstream: Upstream | None, since: float | None, now: float) -> float | None:
    """Since when the model API has failed too often, None if it does not or nobody knows."""
    if upstream is None or now - upstream.at_seconds > FRESH_SECONDS or not upstream.error_share > UPSTREAM_ERROR_SHARE:
        return None
    return upstream.at_seconds if since is None else since


def upstream_limit(since: float | None, upstream: Upstream | None, most: int, now: float) -> Term | None:
    """While the model API fails: the load in flight is not asked for by users, and more pods would not help."""
    if since is None or upstream is None:
        return None
    share = f"the model API fails {upstream.error_share:.0%} of the calls"
    if now - since < UPSTREAM_SECONDS:
        message = f"{share}; if it goes on, no pods are added for the load"
        return Term("upstream", None, reasons.UPSTREAM_LIMITED, message, since + UPSTREAM_SECONDS)
    # Without the share: it moves, and the status would be written again for it.
    message = f"the model API fails more than {UPSTREAM_ERROR_SHARE:.0%} of the calls: no pods are added for the load"
    return Term("upstream", most, reasons.UPSTREAM_LIMITED, message, upstream.at_seconds + FRESH_SECONDS)


def bounded(policy: Policy, count: int) -> Term | None:
    """minReplicas and maxReplicas, of which the first wins."""
    if count < policy.low:
        message = f"spec.minReplicas keeps {policy.low} pods warm"
        return Term("bounds", policy.low, reasons.RAISED_TO_MINIMUM, message)
    high = max(policy.low, policy.high)
    if count > high:
        return Term(
            "bounds", high, reasons.LOWERED_TO_MAXIMUM, f"{count} are asked for, spec.maxReplicas allows {high}"
        )
    return None


def stabilized(inputs: Inputs, history: History, count: int, current: int, now: float) -> Term | None:
    """Fewer pods only after fewer were enough during the whole window, and when the time has come they were asked for.

    Of a peak that the forecast saw passing, the window remembers only what stays.
    """
    at, peak = history.recommended[0]
    until, why = at + inputs.policy.stabilization_seconds, "were needed lately"
    if history.awaited and history.awaited[0][1] > peak:
        until, peak = history.awaited[0]
        why = "were asked for a load that may still come"
    held = min(current, peak)
    if held <= count:
        return None
    until_clock = clock(inputs.epoch_seconds + until - now)
    message = f"{count} pods would do; {held} {why} and are held until {until_clock} by stabilization"
    return Term("stabilization", held, reasons.STABILIZING, message, until)


def paced(policy: Policy, changes: pace.Dated, count: int, current: int, now: float) -> Term | None:
    """The number falls, and rises if that is wanted, at a bounded rate."""
    if count < current:
        rate = policy.down
        allowed = min(current, max(count, pace.fewest(current, changes, rate, now)))
    elif count > current and policy.up is not None:
        rate = policy.up
        allowed = max(current, min(count, pace.most(current, changes, rate, now)))
    else:
        return None
    if allowed == count:
        return None
    recent = pace.within(changes, now, rate.period_seconds)
    begun = recent[0][0] if recent else now
    message = f"on the way to {count} pods, by {rate.pods} or {rate.percent:g} % in {rate.period_seconds:g} s"
    return Term("rate", allowed, reasons.PACED, message, begun + rate.period_seconds)
