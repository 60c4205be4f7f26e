"""All settings in rows: what the terminal and the report both show."""

from rich import box
from rich.table import Table

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.simulate.comparison import Answer, Comparison

SMALLEST_SHARE = 0.00001


def header(comparison: Comparison) -> list[str]:
    """Names of the columns."""
    return ["policy", "pod-hours", f"to HPA {comparison.question.hpa_target * 100:g}%", "cold", "time cold", "starts"]


def cells(comparison: Comparison, answer: Answer) -> list[str]:
    """One row."""
    outcome = answer.outcome
    return [
        answer.name + (" *" if answer is comparison.ours else ""),
        f"{outcome.pod_hours:,.1f}",
        f"{outcome.pod_hours / comparison.hpa.outcome.pod_hours - 1:+.1%}",
        share(outcome.cold_share),
        share(outcome.cold_time_share),
        f"{outcome.starts:,}",
    ]


def share(value: float) -> str:
    """A share in percent, to the precision that tells settings apart."""
    if 0 < value < SMALLEST_SHARE:
        return f"< {SMALLEST_SHARE:.3%}"
    return f"{value:.3%}"


def explanation(comparison: Comparison) -> str:
    """What is counted, in sentences."""
    question = comparison.question
    return (
        f"Cold is the load above what Ready pods take, {question.concurrency_limit} requests each. A pod serves "
        f"{question.start_seconds:g} s after the decision. The first {_hours(question.first)} of "
        f"{_hours(len(question.demand))}, in which the forecast learns, are not counted."
    )


def of(comparison: Comparison) -> Table:
    """The table for a terminal."""
    result = Table(box=box.SIMPLE, caption=f"* the default. {explanation(comparison)}", caption_justify="left")
    for column, name in enumerate(header(comparison)):
        result.add_column(name, justify="right" if column else "left", no_wrap=True)
    for answer in comparison.answers:
        drawn = answer in (comparison.ours, comparison.hpa)
        result.add_row(*cells(comparison, answer), style="bold" if drawn else None)
    return result


def _hours(ticks: int) -> str:
    return f"{ticks * TICK_SECONDS / 3600:,.1f} h"
