"""What became of each request, and how a whole run of records travels through a pod's log."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OK = "ok"
# Below the 16 KiB at which a container runtime splits a line of a log.
CHUNK_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Record:
    """One request.

    Latency runs from when the request was due, not from when it was sent, to the end of its answer or its failure: a
    generator that falls behind makes the figures worse, never better (no coordinated omission). `lag_seconds` is how
    far behind it was. `outcome` is `ok` or what went wrong: `refused`, `broken`, `timeout`, `status <code>` or
    `wrong answer`.
    """

    due_seconds: float
    lag_seconds: float
    latency_seconds: float
    outcome: str


def encode(records: Sequence[Record]) -> list[str]:
    """The records as lines of a log, compressed; times keep a tenth of a millisecond."""
    table = [[*(round(s * 1e4) for s in (r.due_seconds, r.lag_seconds, r.latency_seconds)), r.outcome] for r in records]
    packed = base64.b64encode(zlib.compress(json.dumps(table).encode())).decode()
    return [packed[i : i + CHUNK_CHARACTERS] for i in range(0, len(packed), CHUNK_CHARACTERS)]


def decode(chunks: Iterable[str]) -> list[Record]:
    """The inverse of `encode`. Raises ValueError when a chunk is missing."""
    try:
        table = json.loads(zlib.decompress(base64.b64decode("".join(chunks))))
    except zlib.error as error:
        raise ValueError("the table of requests is incomplete: its log lost a line") from error
    return [Record(due / 1e4, lag / 1e4, latency / 1e4, outcome) for due, lag, latency, outcome in table]
