"""Windows of time in which more pods are kept: when they begin and end, in their own time zones.

A window begins when its cron expression says so, by the rules of Debian's cron: a fixed time that the clock skips comes
right after the gap, one that the clock shows twice comes once. It ends when its duration has elapsed: a window of 8
hours is 8 hours long, also in the night of a clock change.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

CHECKED_STARTS = 60
CHECKED_FROM_EPOCH_SECONDS = 978307200.0
"""These starts are looked at to see that a window ends before it begins again: of a daily one, January and February
2001, when no clock was set forward."""


@dataclass(frozen=True, slots=True)
class Window:
    """At least `replicas` pods for `duration_seconds` from each `start`, a cron expression of five fields."""

    name: str
    time_zone: str
    start: str
    duration_seconds: float
    replicas: int


@dataclass(frozen=True, slots=True)
class Present:
    """What the windows ask for at one time.

    Attributes:
        replicas: the most that an open window asks for, None if none is open.
        name: of that window.
        from_epoch_seconds: the time that was asked about.
        until_epoch_seconds: when the answer may change; infinite if it does not.
    """

    replicas: int | None
    name: str
    from_epoch_seconds: float
    until_epoch_seconds: float

    def holds_at(self, epoch_seconds: float) -> bool:
        """Whether the answer is still right, also after the clock was set back."""
        return self.from_epoch_seconds <= epoch_seconds < self.until_epoch_seconds


NO_WINDOW = Present(None, "", -math.inf, math.inf)


def check(window: Window, field: str) -> str | None:
    """What is wrong with a window, as a sentence that names `field` and the remedy; None if nothing."""
    try:
        ZoneInfo(window.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{field}.timeZone: {window.time_zone!r} is no time zone; write one like Europe/Berlin or UTC."
    if len(window.start.split()) != 5:
        return (
            f"{field}.start: {window.start!r} must have five fields, as 30 6 * * 1-5 for 06:30 from Monday to Friday."
        )
    try:
        starts = [start.timestamp() for start in islice(_starts(window, CHECKED_FROM_EPOCH_SECONDS), CHECKED_STARTS)]
    except CronSimError as error:
        return f"{field}.start: {window.start!r} is no cron expression ({error}); write one like 30 6 * * 1-5."
    if not starts:
        return f"{field}.start: {window.start!r} names a day that never comes; write one like 30 6 * * 1-5."
    if not window.duration_seconds > 0:
        return f"{field}.duration: the window would end before it begins; write how long it lasts, like 8h."
    shortest = min((later - sooner for sooner, later in pairwise(starts)), default=math.inf)
    if window.duration_seconds > shortest:
        return f"{field}.duration: the window begins again before it ends; write at most {_written(shortest)}."
    return None


def _written(seconds: float) -> str:
    """As `duration` is written; starts are whole minutes apart."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")


def present(windows: Iterable[Window], epoch_seconds: float) -> Present:
    """What checked windows ask for at a time. Of overlapping windows the one with the most replicas counts."""
    replicas, name, until = None, "", math.inf
    for window in windows:
        begins, ends = _current_or_next(window, epoch_seconds)
        is_open = begins <= epoch_seconds
        until = min(until, ends if is_open else begins)
        if is_open and (replicas is None or window.replicas > replicas):
            replicas, name = window.replicas, window.name
    return Present(replicas, name, epoch_seconds, until)


class Calendar:
    """Checked windows, and what they ask for: looked up again when that may have changed, for it takes 50 µs each."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._windows = tuple(windows)
        self._present = NO_WINDOW

    def at(self, epoch_seconds: float) -> Present:
        """As `present` says."""
        if self._windows and (self._present is NO_WINDOW or not self._present.holds_at(epoch_seconds)):
            self._present = present(self._windows, epoch_seconds)
        return self._present


def _current_or_next(window: Window, epoch_seconds: float) -> tuple[float, float]:
    """Begin and end of the window that is open at a time, else of the next one."""
    opened_after = epoch_seconds - window.duration_seconds
    for start in _starts(window, opened_after):
        begins = start.timestamp()
        # In an hour that comes twice, cron counts by the clock's face and may name what is over.
        if begins > opened_after:
            return begins, begins + window.duration_seconds
    return math.inf, math.inf


def _starts(window: Window, after_epoch_seconds: float) -> Iterator[datetime]:
    after = datetime.fromtimestamp(after_epoch_seconds, UTC).astimezone(ZoneInfo(window.time_zone))
    return CronSim(window.start, after)
