"""A recorded load replayed at speed: the load of the act, and what came before it as its history."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prewarm_demo.load.arrivals import ramp

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Replay:
    """Requests at once, one value every `step_seconds`: those of the act, and all that the record has before them."""

    history: list[float]
    load: list[float]
    step_seconds: float

    @property
    def seconds(self) -> float:
        """How long the act's load lasts."""
        return (len(self.load) - 1) * self.step_seconds


def read(path: Path) -> tuple[list[float], float]:
    """The values of a record and the seconds between two of them. Its rows are times and values, evenly spaced."""
    with path.open() as file:
        rows = [(float(at), float(value)) for at, value in list(csv.reader(file))[1:]]
    return [value for _, value in rows], rows[1][0] - rows[0][0]


def replay(
    record: Sequence[float], bin_seconds: float, *, speed: float, day: int, hours: tuple[int, int], peak: float
) -> Replay:
    """Those hours of a day (counted from 0), so many times as fast, and all days before as the history.

    Loads are scaled so that the greatest of the act is `peak` requests at once; nothing after the act is looked at.
    """
    begin, end = (int((day * DAY_SECONDS + hour * 3600) / bin_seconds) for hour in hours)
    scale = peak / max(record[begin : end + 1])
    scaled = [value * scale for value in record]
    return Replay(scaled[: begin + 1], scaled[begin : end + 1], bin_seconds / speed)


def rates(load: Sequence[float], answer_seconds: float) -> list[float]:
    """Requests per second which lead to those requests at once (Little's law)."""
    return [value / answer_seconds for value in load]


def scraped(replay: Replay, answer_seconds: float, scrape_seconds: float, seed: int) -> list[int]:
    """The history as a Prometheus has it: requests in flight at each scrape, the last one at the history's end."""
    arrivals = ramp(
        seed=seed,
        rates_per_second=rates(replay.history, answer_seconds),
        step_seconds=replay.step_seconds,
        clients=1,
    )
    due = [arrival.due_seconds for arrival in arrivals]
    end_seconds = (len(replay.history) - 1) * replay.step_seconds
    scrapes = [end_seconds - back * scrape_seconds for back in range(int(end_seconds / scrape_seconds), -1, -1)]
    return [bisect_right(due, at) - bisect_right(due, at - answer_seconds) for at in scrapes]
