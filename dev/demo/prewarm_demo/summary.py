"""What a run of requests comes to: how many failed, how late the answers were, and which share was slow."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from prewarm_demo.load.records import OK, Record

SLOW_FACTOR = 3


@dataclass(frozen=True)
class Summary:
    """One side's requests. Latencies and `slow_share` are those of answered requests; the others are `failed`."""

    requests: int
    failed: int
    failures: dict[str, int]
    p50_seconds: float
    p99_seconds: float
    max_seconds: float
    slow_share: float
    slow_threshold_seconds: float
    max_lag_seconds: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that `percent` % of all values do not exceed."""
    if not values:
        raise ValueError("values: a percentile of nothing does not exist; ask only where there is a value")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def summarize(records: Sequence[Record], *, first_event_seconds: float, baseline_seconds: float = 30) -> Summary:
    """Sum up one side. An answer is slow above three times the median of those due in the baseline before an event.

    Raises ValueError when nothing was answered in the baseline: such a side has no measure of its own.
    """
    answered = [r for r in records if r.outcome == OK]
    latencies = [r.latency_seconds for r in answered]
    baseline = [r.latency_seconds for r in answered if 0 <= first_event_seconds - r.due_seconds <= baseline_seconds]
    if not baseline:
        raise ValueError(f"no request was answered in the {baseline_seconds:g} s before the first event")
    threshold_seconds = SLOW_FACTOR * statistics.median(baseline)
    failures = Counter(r.outcome for r in records if r.outcome != OK)
    return Summary(
        requests=len(records),
        failed=failures.total(),
        failures=dict(failures.most_common()),
        p50_seconds=percentile(latencies, 50),
        p99_seconds=percentile(latencies, 99),
        max_seconds=max(latencies),
        slow_share=sum(latency > threshold_seconds for latency in latencies) / len(latencies),
        slow_threshold_seconds=threshold_seconds,
        max_lag_seconds=max(r.lag_seconds for r in records),
    )
