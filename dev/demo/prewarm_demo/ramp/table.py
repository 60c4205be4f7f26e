"""Both sides of the ramp in one table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from prewarm_demo.ramp.outcome import SLOW_FACTOR, RampSummary
from prewarm_demo.report.table import side_by_side


def ramp_table(sides: Sequence[RampSummary], threshold_seconds: float) -> Table:
    """A row for each figure and a column for each side."""
    caption = (
        f"Slow: answered later than {threshold_seconds:.1f} s after it was due, {SLOW_FACTOR} times the 95th "
        "percentile of requests that found a free place, or not at all; refused requests were sent again twice. "
        "Pod seconds: created to gone, while the load ran. Reactive rule alone: Prewarm's own decision without a "
        "forecast, ceil(load / targetConcurrency), with the same bounds, stabilization and rates."
    )
    title = "The same requests at the same times, both at once"
    return side_by_side(title, caption, [side.name for side in sides], _rows(sides))


def _rows(sides: Sequence[RampSummary]) -> list[tuple[str, list[str]]]:
    return [
        ("requests", [f"{s.requests:,}" for s in sides]),
        ("slow", [f"{s.slow_share:.2%} ({s.slow})" for s in sides]),
        ("of these never answered", [_failures(s) for s in sides]),
        ("latency p50", [f"{s.p50_seconds:.2f} s" for s in sides]),
        ("latency p99", [f"{s.p99_seconds:.2f} s" for s in sides]),
        ("pod seconds", [f"{s.pod_seconds:,.0f}" for s in sides]),
        ("most pods", [str(s.most_pods) for s in sides]),
        ("load generator late by at most", [f"{s.max_lag_seconds * 1000:,.0f} ms" for s in sides]),
    ]


def _failures(side: RampSummary) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in side.failures.items()) or "0"
