"""Both sides of an act in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table

from prewarm_demo.summary import SLOW_FACTOR, Summary, percentile
from prewarm_demo.trial.side import EventTimes


@dataclass(frozen=True)
class SideReport:
    """One column."""

    name: str
    summary: Summary
    start_seconds: list[float]  # from pod created to Ready, each pod that became Ready
    events: list[EventTimes]
    phases: dict[str, float]  # mean seconds of each startup phase; empty where a side has none
    built_after_warm: float | None  # None where a side does not count


def comparison(title: str, sides: list[SideReport]) -> Table:
    """A table with a row for each figure and a column for each side."""
    return side_by_side(title, _CAPTION, [side.name for side in sides], _rows(sides))


def side_by_side(title: str, caption: str, names: Iterable[str], rows: Iterable[tuple[str, list[str]]]) -> Table:
    """A column for each name; `rows` are labels with a cell for each column."""
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left", caption=caption)
    table.add_column("", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", overflow="fold")
    for label, cells in rows:
        table.add_row(label, *cells)
    return table


_CAPTION = (
    "Latency from when a request was due to the end of its answer; failed requests are in no percentile. "
    f"Slow: later than {SLOW_FACTOR} times that side's median of the 30 s before the first event."
)


def _rows(sides: list[SideReport]) -> list[tuple[str, list[str]]]:
    rows = [
        ("requests", [f"{s.summary.requests:,}" for s in sides]),
        ("failed", [_failed(s.summary) for s in sides]),
        ("latency p50", [_ms(s.summary.p50_seconds) for s in sides]),
        ("latency p99", [_ms(s.summary.p99_seconds) for s in sides]),
        ("latency max", [_ms(s.summary.max_seconds) for s in sides]),
        ("slow", [_slow(s.summary) for s in sides]),
        ("pod created to serving", [_start(s.start_seconds) for s in sides]),
        ("startup phases, mean", [_phases(s.phases) for s in sides]),
        ("resources built after warm", [_count(s.built_after_warm) for s in sides]),
    ]
    for position, event in enumerate(sides[0].events):
        rows.append((event.name, [_event(s.events[position]) for s in sides]))
    rows.append(("load generator late by at most", [_ms(s.summary.max_lag_seconds) for s in sides]))
    return rows


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _failed(summary: Summary) -> str:
    if not summary.failed:
        return "0"
    return f"{summary.failed:,} ({', '.join(f'{count} {outcome}' for outcome, count in summary.failures.items())})"


def _slow(summary: Summary) -> str:
    return f"{summary.slow_share:.2%} (over {_ms(summary.slow_threshold_seconds)})"


def _start(seconds: list[float]) -> str:
    return f"p50 {percentile(seconds, 50):.1f} s, p90 {percentile(seconds, 90):.1f} s ({len(seconds)} pods)"


def _phases(phases: dict[str, float]) -> str:
    return "\n".join(f"{phase} {seconds:.2f} s" for phase, seconds in phases.items()) or "-"


def _count(count: float | None) -> str:
    return "-" if count is None else f"{count:g}"


def _event(event: EventTimes) -> str:
    return f"took {event.took_seconds:.1f} s" + ("" if event.under_load else ", longer than the load")
