"""What the requests and pods of one side of the ramp come to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from prewarm_demo.cluster.pods import Pod
from prewarm_demo.load.records import OK, Record
from prewarm_demo.summary import percentile

SLOW_FACTOR = 1.5


@dataclass(frozen=True)
class RampSummary:
    """One side. `slow` are the requests answered later than the threshold or not at all."""

    name: str
    requests: int
    failures: dict[str, int]
    slow: int
    p50_seconds: float
    p99_seconds: float
    pod_seconds: float
    most_pods: int
    max_lag_seconds: float

    @property
    def slow_share(self) -> float:
        return self.slow / self.requests


def unloaded(records: Sequence[Record], places: int) -> list[float]:
    """Latencies of the answers to requests that found fewer than `places` others at work: there was room in any pod."""
    due = sorted(r.due_seconds for r in records)
    ended = sorted(r.due_seconds + r.latency_seconds for r in records)
    found = ((r, bisect_left(due, r.due_seconds) - bisect_right(ended, r.due_seconds)) for r in records)
    return [r.latency_seconds for r, others in found if r.outcome == OK and others < places]


def summarize(
    name: str, records: Sequence[Record], pods: Sequence[Pod], *, threshold_seconds: float, span: tuple[float, float]
) -> RampSummary:
    """Sum up one side. `span` is when the load began and ended, on the clock of the pods."""
    answered = [r.latency_seconds for r in records if r.outcome == OK]
    late = sum(latency > threshold_seconds for latency in answered)
    return RampSummary(
        name=name,
        requests=len(records),
        failures=dict(Counter(r.outcome for r in records if r.outcome != OK).most_common()),
        slow=late + len(records) - len(answered),
        p50_seconds=percentile(answered, 50),
        p99_seconds=percentile(answered, 99),
        pod_seconds=sum(seconds_within(pod, span) for pod in pods),
        most_pods=most_at_once(pods, span),
        max_lag_seconds=max(r.lag_seconds for r in records),
    )


def seconds_within(pod: Pod, span: tuple[float, float]) -> float:
    """How long a pod was there, from created to gone, within a span."""
    begin, end = span
    ended = end if pod.ended_seconds is None else pod.ended_seconds
    return max(0.0, min(end, ended) - max(begin, pod.created_seconds))


def most_at_once(pods: Sequence[Pod], span: tuple[float, float]) -> int:
    """The most pods that were there at the same time within a span."""
    present = [pod for pod in pods if seconds_within(pod, span) > 0]
    moments = [max(span[0], pod.created_seconds) for pod in present]
    return max((sum(seconds_within(pod, (at, at + 1e-6)) > 0 for pod in present) for at in moments), default=0)
