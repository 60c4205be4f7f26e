"""The figures of the report."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from prewarm_operator.commands import table
from prewarm_operator.commands.plots import (
    Axes,
    Bar,
    Points,
    Scale,
    area,
    band,
    bars,
    dots,
    labels,
    line,
    nice_marks,
    plot,
)
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.simulate.comparison import FIXED, HPA_NAME, KPA_NAME, ORACLE, PREWARM, Answer, Comparison

STEPS = 480
"""Points of a curve at most."""

ROOM_ABOVE = 1.12
TALL = 340.0
"""Pixels: for the figure with words beside its dots."""
LEAST_SHARE = 1e-5
"""Where settings without cold demand stand on a logarithmic axis."""

SHARES = ((1e-4, "0.01%"), (1e-3, "0.1%"), (1e-2, "1%"), (1e-1, "10%"), (1.0, "100%"))
KINDS = {PREWARM: "ours", HPA_NAME: "hpa", KPA_NAME: "other", FIXED: "other", ORACLE: "other"}
"""Class of each policy's marks."""

HOUR_SECONDS, DAY_SECONDS = 3600.0, 86_400.0
YEAR_2000 = 946_684_800.0
"""A record that begins earlier counts seconds from its begin."""


def step_ticks(comparison: Comparison) -> int:
    """Ticks of one point of a curve."""
    return math.ceil(len(comparison.question.demand) / STEPS)


def capacity_over_time(comparison: Comparison) -> str:
    """Demand, forecast band and what the Ready pods took."""
    question = comparison.question
    demand = _largest(comparison, question.demand)
    ready = {
        kind: _largest(comparison, [count * question.concurrency_limit for count in answer.outcome.ready])
        for kind, answer in (("hpa", comparison.hpa), ("ours", comparison.ours))
    }
    expected, upper = _foreseen(comparison)
    axes = _over_time(comparison, max(y for curve in (demand, upper, *ready.values()) for _, y in curve))
    drawn = [
        _learning(comparison, axes),
        area(axes, demand, "demand"),
        band(axes, upper, expected, "band"),
        *(line(axes, curve, kind) for kind, curve in ready.items()),
    ]
    return plot(axes, drawn, (), "Requests at once over time: demand, forecast band, ready capacity")


def cold_over_time(comparison: Comparison) -> str:
    """Demand above what the Ready pods took, once the outcome counts."""
    question, curves = comparison.question, {}
    for kind, answer in (("hpa", comparison.hpa), ("ours", comparison.ours)):
        took = (count * question.concurrency_limit for count in answer.outcome.ready)
        missing = [max(0.0, load - most) for load, most in zip(question.demand, took, strict=True)]
        curves[kind] = _largest(comparison, [0.0] * question.first + missing[question.first :])
    axes = _over_time(comparison, max(y for curve in curves.values() for _, y in curve))
    drawn = [_learning(comparison, axes), *(area(axes, curve, kind) for kind, curve in curves.items())]
    drawn += [line(axes, curve, kind) for kind, curve in curves.items()]
    if not any(y for curve in curves.values() for _, y in curve):
        middle = (axes.x.high / 2, axes.y.high / 2, "no demand was cold")
        return plot(axes, drawn, labels(axes, [middle]), "Cold demand over time")
    return plot(axes, drawn, (), "Cold demand over time")


def pod_hours(comparison: Comparison) -> str:
    """What each policy pays for."""
    others = (comparison.of(policy)[0] for policy in (KPA_NAME, FIXED, ORACLE))
    rows = [
        Bar(
            answer.name,
            answer.outcome.pod_hours,
            f"{_count(answer.outcome.pod_hours)} h, {table.share(answer.outcome.cold_share)} cold",
            KINDS[answer.policy],
        )
        for answer in (comparison.ours, comparison.hpa, *others)
    ]
    return bars(rows, "Pod-hours of each policy")


def costs(comparison: Comparison) -> str:
    """Pod-hours against cold share of every setting. What the words find no room for is in the table."""
    answers = [answer for answer in comparison.answers if answer.policy != FIXED]
    hours = [answer.outcome.pod_hours for answer in answers]
    y = Scale(min(hours) * 0.9, max(hours) * 1.1, log=True)
    x = Scale(LEAST_SHARE / 4, max(2e-2, max(map(_cold, answers)) * 3), log=True)
    marks = [value for value in nice_marks(y.high, 5) if value > y.low]
    shares = [(LEAST_SHARE, "none"), *(mark for mark in SHARES if mark[0] <= x.high)]
    axes = Axes(x, y, shares, [(value, _count(value)) for value in marks], TALL)
    drawn = []
    for policy in (KPA_NAME, ORACLE, HPA_NAME, PREWARM):
        points = [(_cold(answer), answer.outcome.pod_hours) for answer in comparison.of(policy)]
        drawn += [line(axes, points, KINDS[policy])] if len(points) > 1 else []
        drawn.append(dots(axes, points, KINDS[policy]))
    chosen = (comparison.ours, comparison.hpa)
    told = [(answer, f"{answer.policy} {_knob(answer)}") for answer in chosen]
    rest = sorted(answers, key=lambda answer: answer.policy in (PREWARM, HPA_NAME))  # those with one dot come first
    told += [(answer, _knob(answer)) for answer in rest if answer not in chosen]
    words = labels(axes, [(_cold(answer), answer.outcome.pod_hours, text) for answer, text in told])
    return plot(axes, drawn, words, "Pod-hours against cold share, both on a logarithmic scale")


def _knob(answer: Answer) -> str:
    return answer.setting.rpartition(" ")[2] if answer.policy in (PREWARM, HPA_NAME) else answer.policy


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def _cold(answer: Answer) -> float:
    return max(answer.outcome.cold_share, LEAST_SHARE)


def _largest(comparison: Comparison, values: Sequence[float]) -> Points:
    """(seconds, largest value) of each step, at its middle."""
    step = step_ticks(comparison)
    return [
        ((begin + step / 2) * TICK_SECONDS, max(values[begin : begin + step])) for begin in range(0, len(values), step)
    ]


def _foreseen(comparison: Comparison) -> tuple[Points, Points]:
    """What was expected and its upper bound, at the time that they are for."""
    made, demand = comparison.foreseen.made, comparison.question.demand
    ahead = min(len(made), round(made[0].horizon_seconds / TICK_SECONDS))
    kept = len(made) - ahead
    expected = [*demand[:ahead], *comparison.foreseen.expected[:kept]]
    upper = [*demand[:ahead], *(forecast.upper for forecast in made[:kept])]
    return _largest(comparison, expected), _largest(comparison, upper)


def _over_time(comparison: Comparison, highest: float) -> Axes:
    high = (highest or 1.0) * ROOM_ABOVE
    question = comparison.question
    end = len(question.demand) * TICK_SECONDS
    marks = [(value, _count(value)) for value in nice_marks(high)]
    return Axes(Scale(0.0, end), Scale(0.0, high), list(_times(question.begins_epoch_seconds, end)), marks)


def _times(begins_epoch_seconds: float, seconds: float) -> Iterator[tuple[float, str]]:
    """About four marks on whole days or hours, in UTC."""
    days = seconds > 2 * DAY_SECONDS
    unit = DAY_SECONDS if days else HOUR_SECONDS if seconds > 2 * HOUR_SECONDS else 60.0
    every = math.ceil(seconds / unit / 4) * unit
    if begins_epoch_seconds < YEAR_2000:
        name = "d" if days else "h" if unit == HOUR_SECONDS else "min"
        yield from ((at * every, f"{at * every / unit:g} {name}") for at in range(int(seconds / every) + 1))
        return
    first = math.ceil(begins_epoch_seconds / every) * every
    for at in range(int((begins_epoch_seconds + seconds - first) / every) + 1):
        moment = datetime.fromtimestamp(first + at * every, UTC)
        yield first + at * every - begins_epoch_seconds, f"{moment.day} {moment:%b}" if days else f"{moment:%H:%M}"


def _learning(comparison: Comparison, axes: Axes) -> str:
    until = comparison.question.first * TICK_SECONDS
    return area(axes, [(0.0, axes.y.high), (until, axes.y.high)], "learning")
