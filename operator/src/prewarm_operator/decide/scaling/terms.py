"""What asks for pods: the load now, the load to come, windows of time. Each `(inputs, now) -> term`."""

import math

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Inputs, Term
from prewarm_operator.signals.reading import FRESH_SECONDS, Cause, Fault, Reading, Validity
from prewarm_operator.world.scaling import Forecast

MOST = 2**31 - 1
"""Pods, whatever a load says: spec.replicas of a Deployment is an int32."""


PROMETHEUS = "prometheus"
"""Name of the term that tells of a fault of Prometheus."""

_FAULTS = {
    Cause.UNAVAILABLE: reasons.PROMETHEUS_UNAVAILABLE,
    Cause.SLOW: reasons.PROMETHEUS_SLOW,
    Cause.REFUSED: reasons.PROMETHEUS_REFUSES,
    Cause.NO_QUERIES: reasons.PROMETHEUS_WITHOUT_QUERIES,
    Cause.QUERY: reasons.QUERY_FAILED,
    Cause.UNUSABLE: reasons.PROMETHEUS_UNUSABLE,
}


def reactive(inputs: Inputs, reading: Reading, forecast_counts: bool) -> Term:
    """Pods for the load now.

    Beside a forecast, whose quantile is the reserve, pods may be full; without one they are planned at the target.
    """
    policy = inputs.policy
    per_pod = policy.concurrency_limit if forecast_counts else policy.target_concurrency
    count = pods_for(reading.value, per_pod)
    return Term(
        "reactive",
        count,
        reasons.LOAD_NOW,
        f"the load is {reading.value:.1f} requests, which is {count} pods at {per_pod:g} each ({reading.source})",
        reading.at_seconds + FRESH_SECONDS,
    )


def predictive(inputs: Inputs, forecast: Forecast) -> Term:
    """Pods for the load at the time when a pod that is asked for now would serve."""
    count = pods_for(forecast.upper, inputs.policy.concurrency_limit)
    message = (
        f"in {forecast.horizon_seconds:.0f} s the load will hardly exceed {forecast.upper:.1f} requests: {count} pods"
    )
    return Term("forecast", count, reasons.LOAD_FORECAST, message, forecast.at_seconds + FRESH_SECONDS)


def scheduled(inputs: Inputs, now: float) -> Term | None:
    """Pods that an open window asks for."""
    present = inputs.schedule
    until = now + (present.until_epoch_seconds - inputs.epoch_seconds)
    until_seconds = until if math.isfinite(until) else None
    if present.replicas is None:
        if until_seconds is None:
            return None
        message = f"the next window begins at {clock(present.until_epoch_seconds)}"
        return Term("schedule", None, reasons.SCHEDULE, message, until_seconds)
    message = f"window {present.name} asks for {present.replicas} pods"
    if until_seconds is not None:
        message += f", at least until {clock(present.until_epoch_seconds)}"
    if present.replicas < inputs.policy.low:
        message += f", which does not lower spec.minReplicas {inputs.policy.low}"
    return Term("schedule", present.replicas, reasons.SCHEDULE, message, until_seconds)


def needed_soon(inputs: Inputs, forecast: Forecast, current: int) -> Term:
    """Pods that there are and that will be needed within minutes: they are kept, none is added for it."""
    load = max(forecast.later, default=0.0)
    count = min(current, pods_for(load, inputs.policy.concurrency_limit) + inputs.policy.headroom)
    message = f"{count} pods will be needed within minutes, for up to {load:.1f} requests"
    return Term("soon", count, reasons.NEEDED_SOON, message, forecast.at_seconds + FRESH_SECONDS)


def headroom(decided: Term, pods: int) -> Term:
    """Pods on top of those that `decided` asks for."""
    count = (decided.replicas or 0) + pods
    return Term(
        "headroom", count, reasons.HEADROOM, f"{decided.message}, and {pods} of headroom", decided.until_seconds
    )


def unknown(validity: Validity, problem: str, current: int) -> Term:
    """Pods that stay because nobody knows that they are not needed."""
    if validity is Validity.PARTIAL:
        message = f"the load is known in part only ({problem}): the {current} pods stay"
        return Term("hold", current, reasons.LOAD_PARTLY_KNOWN, message)
    return Term("hold", current, reasons.LOAD_UNKNOWN, f"the load is unknown ({problem}): the {current} pods stay")


def faulty(fault: Fault) -> Term:
    """Prometheus, or an own query, gives nothing: it asks for no pods, and what it might know is missing."""
    return Term(PROMETHEUS, None, _FAULTS[fault.cause], fault.message)


def pods_for(load: float, per_pod: float) -> int:
    """How many pods take a load, finite and not negative."""
    return min(MOST, math.ceil(min(load / per_pod, float(MOST)) - 1e-9))


def clock(epoch_seconds: float) -> str:
    """The time of day of an epoch time, rounded to the minute."""
    minutes = round(epoch_seconds / 60.0) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d} UTC"
