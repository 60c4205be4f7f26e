"""What the status says about the number of pods: the decision in words, how good the forecast was, what changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from prewarm_operator.api.status import (
    AgentDeploymentStatus,
    ForecastStatus,
    ScalingChange,
    ScalingStatus,
    ScalingTerm,
)
from prewarm_operator.decide.plan import Scale
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.decide.scaling.terms import clock
from prewarm_operator.signals.reading import Validity
from prewarm_operator.world.snapshot import Snapshot

HISTORY_LENGTH = 20

RUN_SECONDS = 120.0
"""Steps down come once a minute: those of one reason that are no further apart are one change."""

COVERAGE_STEP_PERCENT = 1.0
PINBALL_STEP = 0.25
"""A quality that has moved by less is not written again: it moves with every tick, and a write costs all who watch."""

_TOLD_ANEW = "schedule"
"""The term whose message may change alone: another window is open, with as many pods."""


def scaling_status(snapshot: Snapshot, scale: Scale, now: datetime) -> ScalingStatus:
    """The decision in words. They name loads and times, so they stay while no number and no reason changes."""
    old, verdict = snapshot.agent.status, scale.verdict
    terms = () if verdict is None else verdict.terms
    if scale.nodes is not None:
        terms = (*terms, scale.nodes)
    reading = None if verdict is None else snapshot.signals.reading
    new = ScalingStatus(
        reason=scale.reason,
        message=scale.message,
        auto_replicas=None if verdict is None or verdict.auto is verdict.decided_by else verdict.auto.replicas,
        load=None if reading is None or reading.validity is Validity.INVALID else round(reading.value, 1),
        forecast=None if verdict is None else _forecast(old.scaling, snapshot, verdict.blind),
        terms=tuple(
            ScalingTerm(
                name=term.name,
                replicas=term.replicas,
                reason=term.reason,
                message=term.message,
                decides=True if verdict is not None and term is verdict.auto else None,
            )
            for term in terms
        )
        or None,
    )
    known = old.scaling if verdict is not None and old.desired_replicas == scale.replicas else None
    if known is not None and _numbers(known) == _numbers(new):
        return known.model_copy(update={"forecast": new.forecast})
    return new.model_copy(update={"history": _history(old, new, scale, timestamp(now)) or None})


def timestamp(time: datetime) -> str:
    """As the API server writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _numbers(scaling: ScalingStatus) -> object:
    terms = [
        (term.name, term.replicas, term.reason, term.decides, term.message if term.name == _TOLD_ANEW else "")
        for term in scaling.terms or ()
    ]
    return scaling.reason, scaling.auto_replicas, terms


def _forecast(old: ScalingStatus | None, snapshot: Snapshot, blind: bool) -> ForecastStatus | None:
    forecast = snapshot.signals.forecast
    if forecast is None or not forecast.valid:
        return None
    told = None if old is None else old.forecast
    message = None
    if forecast.coverage is None:
        enough = snapshot.taken_at + forecast.unjudged * TICK_SECONDS
        until = "and none is known now" if blind else f"until about {clock(enough)}"
        message = f"it needs more loads to be judged, {until}"
    new = ForecastStatus(
        horizon_seconds=forecast.horizon_seconds,
        coverage_percent=None if forecast.coverage is None else round(100 * forecast.coverage, 1),
        pinball_loss=None if forecast.pinball is None else float(f"{forecast.pinball:.3g}"),
        message=message,
    )
    return told if told is not None and _says_the_same(told, new) else new


def _says_the_same(told: ForecastStatus, new: ForecastStatus) -> bool:
    if (told.horizon_seconds, told.message) != (new.horizon_seconds, new.message):
        return False
    if told.coverage_percent is None or new.coverage_percent is None:
        return told.coverage_percent == new.coverage_percent
    before, after = told.pinball_loss or 0.0, new.pinball_loss or 0.0
    moved = abs(told.coverage_percent - new.coverage_percent)
    return moved < COVERAGE_STEP_PERCENT and abs(before - after) <= PINBALL_STEP * max(before, after)


def _history(old: AgentDeploymentStatus, new: ScalingStatus, scale: Scale, now: str) -> tuple[ScalingChange, ...]:
    """What has changed the number, newest first. It stands in the status alone, so that it outlives the operator."""
    history = (old.scaling.history if old.scaling is not None else None) or ()
    for change in _changes(old, new, scale, now):
        history = _with(change, history)
    return history[:HISTORY_LENGTH]


def _changes(old: AgentDeploymentStatus, new: ScalingStatus, scale: Scale, now: str) -> Iterator[ScalingChange]:
    if old.desired_replicas is not None and old.desired_replicas != scale.replicas:
        yield ScalingChange(
            time=now, from_=old.desired_replicas, to=scale.replicas, reason=new.reason, message=new.message
        )
    before = None if old.scaling is None else old.scaling.auto_replicas
    if before is not None and new.auto_replicas not in (None, before) and scale.verdict is not None:
        auto = scale.verdict.auto
        yield ScalingChange(
            time=now, from_=before, to=new.auto_replicas, reason=auto.reason, message=auto.message, observed=True
        )


def _with(change: ScalingChange, history: tuple[ScalingChange, ...]) -> tuple[ScalingChange, ...]:
    last = history[0] if history else None
    if last is None or not _goes_on(last, change):
        return (change, *history)
    return (change.model_copy(update={"from_": last.from_, "since": last.since or last.time}), *history[1:])


def _goes_on(last: ScalingChange, change: ScalingChange) -> bool:
    same = (last.reason, last.observed) == (change.reason, change.observed)
    one_way = (last.to > last.from_) == (change.to > change.from_)
    apart = datetime.fromisoformat(change.time) - datetime.fromisoformat(last.time)
    return same and one_way and apart <= timedelta(seconds=RUN_SECONDS)
