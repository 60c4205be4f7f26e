"""A recorded load, from CSV: a row per bin of time. What cannot be right is refused with its row."""

import csv
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.simulate.demand import Floats, concurrent, to_ticks

SECONDS, TIME = "timestamp_seconds", "time"
REQUESTS, CONCURRENT = "requests", "concurrent"
LONGEST_BIN_SECONDS = 900.0
CLOCK_CHANGE_SECONDS = 3600.0
LARGEST_LOAD = 1e9
SAME_SECONDS = 0.001
UNIX_TIME = re.compile(r"\d{9,}(\.\d*)?")
LATEST_EPOCH_SECONDS = datetime.max.replace(tzinfo=UTC).timestamp()
"""The end of the year 9999: beyond it are times in milliseconds."""


class RecordRefused(ValueError):
    """A file that is no record of a load: a sentence with file, row and remedy."""


@dataclass(frozen=True)
class Record:
    """Values of consecutive bins.

    Attributes:
        begins_epoch_seconds: begin of the first bin.
        bin_seconds: length of each.
        values: requests that came in the bin, or requests at once on average.
        are_concurrent: whether they are the latter.
    """

    begins_epoch_seconds: float
    bin_seconds: float
    values: Floats
    are_concurrent: bool

    def demand(self, service_seconds: float) -> Floats:
        """Requests at once in each tick of 15 s; `service_seconds` is how long a request takes on average."""
        ticks = to_ticks(self.values, self.bin_seconds, rates=self.are_concurrent)
        return ticks if self.are_concurrent else concurrent(ticks, service_seconds)


def read(lines: Iterable[str], name: str) -> Record:
    """Read CSV with a header: `timestamp_seconds` or `time` (ISO 8601 with offset), then `requests` or `concurrent`.

    Args:
        name: of the file, for errors.

    Raises:
        RecordRefused: the first row that is wrong.
    """
    rows = csv.reader(lines)
    header = [field.strip() for field in next(rows, [])]
    if len(header) < 2 or header[0] not in (SECONDS, TIME) or header[1] not in (REQUESTS, CONCURRENT):
        raise RecordRefused(
            f"{name}, row 1: the header must be {SECONDS} or {TIME}, then {REQUESTS} (in the time until the next row) "
            f"or {CONCURRENT} (at once), separated by a comma."
        )
    times, values = [], []
    for at, value in _rows(rows, name, header):
        times.append(at)
        values.append(value)
    if len(times) < 2:
        raise RecordRefused(f"{name}: there must be two rows at least below the header.")
    bin_seconds = times[1] - times[0]
    return Record(times[0], bin_seconds, np.array(values), header[1] == CONCURRENT)


def _rows(rows: Iterable[list[str]], name: str, header: list[str]) -> Iterator[tuple[float, float]]:
    before: float | None = None
    bin_seconds: float | None = None
    for number, row in enumerate(rows, 2):
        where = f"{name}, row {number}"
        if len(row) < 2:
            raise RecordRefused(f"{where}: there must be a time and a number, separated by a comma.")
        if len(row) > len(header):  # 1,234 is not 1
            raise RecordRefused(
                f"{where}: it has {len(row)} fields and the header has {len(header)}; write numbers without commas."
            )
        at = _time(row[0].strip(), where, header[0])
        value = _number(row[1].strip(), where, header[1])
        if before is not None and bin_seconds is None:
            bin_seconds = _bin(at - before, where)
        elif before is not None and bin_seconds is not None:
            _check_step(at - before, bin_seconds, where)
        before = at
        yield at, value


def _time(text: str, where: str, column: str) -> float:
    return _unix_time(text, where) if column == SECONDS else _written_time(text, where)


def _unix_time(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise RecordRefused(f"{where}: {SECONDS} {text!r} is no time; write one like 1767225600.")
    if seconds > LATEST_EPOCH_SECONDS:
        raise RecordRefused(f"{where}: {SECONDS} {text} is after the year 9999; write seconds, not milliseconds.")
    return seconds


def _written_time(text: str, where: str) -> float:
    if UNIX_TIME.fullmatch(text):
        raise RecordRefused(f"{where}: {TIME} {text!r} is Unix time; call the column {SECONDS}, and write seconds.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RecordRefused(f"{where}: {TIME} {text!r} is no time; write one like 2026-01-01T00:00:00Z.") from None
    if moment.tzinfo is None:
        raise RecordRefused(
            f"{where}: {TIME} {text!r} has no offset, so a clock change would tear a hole; write UTC, as {text}Z."
        )
    return moment.timestamp()


def _number(text: str, where: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise RecordRefused(f"{where}: {column} {text!r} is no number; write 0 where there was no load.") from None
    if not 0 <= value <= LARGEST_LOAD:
        raise RecordRefused(f"{where}: {column} {text} cannot be a load; write a number from 0 to 1e9.")
    return value


def _bin(step_seconds: float, where: str) -> float:
    if step_seconds <= 0:
        raise RecordRefused(f"{where}: the time does not rise; sort the rows by it.")
    ratio = max(step_seconds, TICK_SECONDS) / min(step_seconds, TICK_SECONDS)
    if abs(ratio - round(ratio)) > SAME_SECONDS or step_seconds > LONGEST_BIN_SECONDS:
        raise RecordRefused(
            f"{where}: the rows are {step_seconds:g} s apart; write them 15 s apart, or a divisor or multiple of it, "
            f"up to {LONGEST_BIN_SECONDS:.0f} s."
        )
    return step_seconds


def _check_step(step_seconds: float, bin_seconds: float, where: str) -> None:
    off = step_seconds - bin_seconds
    if abs(off) <= SAME_SECONDS:
        return
    if abs(abs(off) - CLOCK_CHANGE_SECONDS) <= SAME_SECONDS:
        way = "forward" if off > 0 else "back"
        raise RecordRefused(f"{where}: the time jumps {way} by an hour, as at a clock change; write all times in UTC.")
    if step_seconds <= 0:
        raise RecordRefused(f"{where}: the time does not rise; sort the rows by it and let each time come once.")
    if step_seconds > bin_seconds:
        missing = round(step_seconds / bin_seconds - 1)
        rows = "1 row is" if missing == 1 else f"{missing} rows are"
        raise RecordRefused(
            f"{where}: {rows} missing before it, so the load is not known; fill the gap, sort the rows by time, or cut "
            "the file here."
        )
    raise RecordRefused(f"{where}: it is {step_seconds:g} s after the row before, the others are {bin_seconds:g} s.")
