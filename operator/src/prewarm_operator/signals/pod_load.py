"""What a pod tells of its load, and what the pods of an agent tell together."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from prewarm_operator.signals.reading import Reading, Upstream, Validity

LONGEST_LINE_BYTES = 4096
SILENT_SECONDS = 35.0
"""A pod sends a line at least every 15 s: after two that are missing nothing is known of it."""
MOST = 1_000_000
"""No pod works on that many requests."""
QUEUE_SHARE = 0.25
"""Of the limit: as long is a pod's queue (prewarm_agent.admission.gate)."""
SOURCE = "the load stream of the pods"


class NotALoad(ValueError):
    """A line that is no load of a pod; the message says why, as a clause."""


@dataclass(frozen=True, slots=True)
class PodLoad:
    """A line of `GET /load`: requests in flight, queued, and refused within the last 5 s.

    `upstream_error_share` is that of the model calls of the last 30 s which failed, from 0 to 1.
    """

    in_flight: int
    queued: int
    refused: int
    upstream_error_share: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A pod's load and when it came, in monotonic seconds."""

    load: PodLoad
    at_seconds: float


def parse(line: bytes) -> PodLoad:
    """Read one line.

    Raises:
        NotALoad: it is no JSON object, or a number is missing, not finite, negative or absurd.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotALoad("it is no JSON") from error
    if not isinstance(fields, dict):
        raise NotALoad("it is no JSON object")
    in_flight, queued, refused = (int(_number(fields, name, MOST)) for name in ("in_flight", "queued", "refused"))
    return PodLoad(in_flight, queued, refused, _number(fields, "upstream_error_share", 1.0))


def _number(fields: Mapping[str, object], name: str, most: float) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotALoad(f"{name} is {str(value)[:40]!r}")
    if not 0 <= value <= most:
        raise NotALoad(f"{name} is {value:g}")
    return float(value)


def agent_reading(
    ready: Collection[str], heard: Mapping[str, Heard], concurrency_limit: int, now: float
) -> tuple[Reading, Upstream | None]:
    """The load of an agent: requests in flight, queued and lately refused, of all its pods.

    A pod is not trusted with more than the spec gave it: its part is capped at its limit and its queue, and what it
    refused at twice the limit. Pods that drain are heard too: what they still work on is load, though no capacity.
    A Ready pod that is not heard makes the load known in part.

    Args:
        ready: uids of the pods that are behind the Service.
        heard: the last line of each pod, by uid.
        concurrency_limit: spec.concurrencyLimit.
        now: monotonic seconds.
    """
    fresh = {uid: one for uid, one in heard.items() if now - one.at_seconds <= SILENT_SECONDS}
    missing = sum(uid not in fresh for uid in ready)
    value = float(sum(_part(one.load, concurrency_limit) for one in fresh.values()))
    if not ready:
        return Reading(value, now, SOURCE, Validity.INVALID, "has no Ready pod to hear"), None
    if missing == len(ready):
        return Reading(value, now, SOURCE, Validity.INVALID, "is silent"), None
    upstream = Upstream(_share([fresh[uid].load for uid in ready if uid in fresh]), now)
    if missing:
        problem = f"misses {missing} of {len(ready)} Ready pods"
        return Reading(value, now, SOURCE, Validity.PARTIAL, problem), upstream
    return Reading(value, now, SOURCE), upstream


def most_of_pod(limit: int) -> int:
    """The greatest load that a pod is trusted with: its limit, its queue, and twice the limit of refused requests."""
    return limit + _queue(limit) + 2 * limit


def _part(load: PodLoad, limit: int) -> int:
    return min(load.in_flight, limit) + min(load.queued, _queue(limit)) + min(load.refused, 2 * limit)


def _queue(limit: int) -> int:
    return max(1, int(limit * QUEUE_SHARE))


def _share(loads: Collection[PodLoad]) -> float:
    """Weighed by the requests that a pod works on: an idle pod says little about the model API."""
    weights = [1 + load.in_flight for load in loads]
    weighed = zip(loads, weights, strict=True)
    return sum(load.upstream_error_share * weight for load, weight in weighed) / sum(weights)
