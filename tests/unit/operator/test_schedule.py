"""Windows of time: when they are open, in their own time zone, also where a clock changes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from prewarm_operator.decide import schedule
from prewarm_operator.decide.schedule import Calendar, Present, Window, present

HOUR = 3600.0
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def at(text: str) -> float:
    """Epoch seconds of a UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def window(start: str, hours: float, replicas: int = 5, zone: str = "UTC", name: str = "w") -> Window:
    return Window(name, zone, start, hours * HOUR, replicas)


def opened(window: Window, first: str, last: str) -> list[tuple[str, str]]:
    """When a window is open between two UTC times, as a walk from change to change sees it."""
    now, end, found = at(first), at(last), []
    while now < end:
        seen = present([window], now)
        assert seen.until_epoch_seconds > now
        if seen.replicas is not None:
            times = (now, min(seen.until_epoch_seconds, end))
            found.append(tuple(datetime.fromtimestamp(time, UTC).strftime("%m-%d %H:%M") for time in times))
        now = seen.until_epoch_seconds
    return found


def test_working_hours_end_on_friday_evening() -> None:
    """kedacore/keda 4677: with start on workdays and end daily, the window ran until Sunday."""
    friday = opened(window("30 6 * * 1-5", 15 + 40 / 60), "2026-06-12 00:00", "2026-06-15 12:00")
    assert friday == [("06-12 06:30", "06-12 22:10"), ("06-15 06:30", "06-15 12:00")]


def test_a_window_over_the_weekend_ends_on_monday() -> None:
    assert opened(window("0 20 * * 5", 60), "2026-06-10 00:00", "2026-06-17 00:00") == [("06-12 20:00", "06-15 08:00")]


def test_a_window_begins_in_its_own_time_zone() -> None:
    assert opened(window("0 8 * * *", 1, zone=BERLIN), "2026-06-10 00:00", "2026-06-11 00:00") == [
        ("06-10 06:00", "06-10 07:00")
    ]
    assert opened(window("0 8 * * *", 1, zone=NEW_YORK), "2026-06-10 00:00", "2026-06-11 00:00") == [
        ("06-10 12:00", "06-10 13:00")
    ]


def test_begin_belongs_to_the_window_and_end_does_not() -> None:
    daily = [window("0 8 * * *", 1)]
    assert present(daily, at("2026-06-10 07:59:59")).replicas is None
    assert present(daily, at("2026-06-10 08:00")).replicas == 5
    assert present(daily, at("2026-06-10 08:59:59")).replicas == 5
    assert present(daily, at("2026-06-10 09:00")).replicas is None


def test_of_overlapping_windows_the_most_replicas_count_until_the_next_change() -> None:
    both = [window("0 8 * * *", 8, 3, name="day"), window("0 12 * * *", 1, 7, name="noon")]
    noon = present(both, at("2026-06-10 12:30"))
    assert (noon.replicas, noon.name, noon.until_epoch_seconds) == (7, "noon", at("2026-06-10 13:00"))
    morning = present(reversed(both), at("2026-06-10 11:00"))
    assert (morning.replicas, morning.name, morning.until_epoch_seconds) == (3, "day", at("2026-06-10 12:00"))


def test_without_windows_nothing_ever_changes() -> None:
    nothing = present([], at("2026-06-10 12:30"))
    assert nothing.replicas is None
    assert nothing.until_epoch_seconds == float("inf")


def test_a_begin_that_the_clock_skips_comes_right_after_the_gap() -> None:
    """29 March 2026: in Berlin 02:00 is followed by 03:00, which is 01:00 UTC."""
    assert opened(window("30 2 * * *", 1, zone=BERLIN), "2026-03-28 12:00", "2026-03-30 12:00") == [
        ("03-29 01:00", "03-29 02:00"),
        ("03-30 00:30", "03-30 01:30"),
    ]


def test_a_begin_that_the_clock_shows_twice_comes_once() -> None:
    """25 October 2026: in Berlin 02:30 is 00:30 and 01:30 UTC."""
    assert opened(window("30 2 * * *", 0.5, zone=BERLIN), "2026-10-24 12:00", "2026-10-26 12:00") == [
        ("10-25 00:30", "10-25 01:00"),
        ("10-26 01:30", "10-26 02:00"),
    ]


def test_what_was_over_in_the_first_of_two_equal_hours_does_not_open_in_the_second() -> None:
    early = [window("40 2 * * *", 0.25, zone=BERLIN)]
    midnight = at("2026-10-25 00:00")
    minutes = [minute for minute in range(180) if present(early, midnight + 60 * minute).replicas]
    assert minutes == list(range(40, 55))


@pytest.mark.parametrize(
    ("first", "last", "begin", "end"),
    [
        ("2026-03-28 12:00", "2026-03-29 20:00", "03-28 21:00", "03-29 05:00"),
        ("2026-10-24 12:00", "2026-10-25 20:00", "10-24 20:00", "10-25 04:00"),
    ],
)
def test_a_night_with_a_clock_change_is_as_long_as_the_duration_says(
    first: str, last: str, begin: str, end: str
) -> None:
    assert opened(window("0 22 * * *", 8, zone=BERLIN), first, last) == [(begin, end)]


def test_a_walk_by_the_minute_through_both_clock_changes_agrees_with_the_changes_told() -> None:
    night = window("30 1 * * *", 1.5, zone=BERLIN)
    for day in ("2026-03-28 20:00", "2026-10-24 20:00"):
        told = present([night], at(day))
        for minute in range(36 * 60):
            now = (datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minute)).timestamp()
            seen = present([night], now)
            if not told.holds_at(now):
                told = seen
            assert seen.replicas == told.replicas


def test_a_calendar_says_at_every_time_what_is_right_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def counted(windows: Sequence[Window], epoch_seconds: float) -> Present:
        asked.append(epoch_seconds)
        return present(windows, epoch_seconds)

    monkeypatch.setattr(schedule, "present", counted)
    windows = [window("0 8 * * *", 1, 5), window("30 9 * * *", 2, 3)]
    calendar, begin = Calendar(windows), at("2026-06-10 07:00")
    minutes = [*range(300), 90, 0, 100]  # the clock is set back, too
    assert all(
        calendar.at(begin + 60 * minute).replicas == present(windows, begin + 60 * minute).replicas
        for minute in minutes
    )
    assert len(asked) < 12
    assert Calendar([]).at(begin).replicas is None


def test_an_answer_holds_until_the_next_change_and_not_after_the_clock_was_set_back() -> None:
    seen = present([window("0 8 * * *", 1)], at("2026-06-10 08:30"))
    assert seen.holds_at(at("2026-06-10 08:59"))
    assert not seen.holds_at(at("2026-06-10 09:00"))
    assert not seen.holds_at(at("2026-06-10 07:30"))
