"""A window that cannot be meant is refused with a sentence that names field and remedy."""

from dataclasses import replace

import pytest

from prewarm_operator.decide.schedule import Window, check

FIELD = "spec.scaling.schedule[0]"
GOOD = Window("w", "Europe/Berlin", "30 6 * * 1-5", 8 * 3600.0, 3)


@pytest.mark.parametrize(
    "window",
    [
        GOOD,
        replace(GOOD, start="0 0 * * *", duration_seconds=24 * 3600.0),
        replace(GOOD, start="0 20 * * 5", duration_seconds=60 * 3600.0),
        replace(GOOD, start="0 0 29 2 *", duration_seconds=86400.0),
        replace(GOOD, start="* * * * *", duration_seconds=60.0),
        replace(GOOD, time_zone="UTC", replicas=0),
    ],
)
def test_good_windows(window: Window) -> None:
    assert check(window, FIELD) is None


@pytest.mark.parametrize(
    ("window", "field", "remedy"),
    [
        (replace(GOOD, time_zone="Europe/Berlln"), "timeZone", "write one like Europe/Berlin or UTC"),
        (replace(GOOD, time_zone=""), "timeZone", "no time zone"),
        (replace(GOOD, time_zone="../secret"), "timeZone", "no time zone"),
        (replace(GOOD, start="30 6 * *"), "start", "five fields"),
        (replace(GOOD, start="0 30 6 * * 1"), "start", "five fields"),
        (replace(GOOD, start="61 6 * * *"), "start", "Bad minute"),
        (replace(GOOD, start="a b c d e"), "start", "no cron expression"),
        (replace(GOOD, start="0 0 30 2 *"), "start", "no cron expression"),
        (replace(GOOD, duration_seconds=0.0), "duration", "write how long it lasts"),
        (replace(GOOD, duration_seconds=-60.0), "duration", "write how long it lasts"),
        (replace(GOOD, start="0 8 * * *", duration_seconds=24 * 3600.0 + 60), "duration", "at most 24h."),
        (replace(GOOD, start="0 8,20 * * *", duration_seconds=13 * 3600.0), "duration", "at most 12h."),
    ],
)
def test_what_cannot_be_meant(window: Window, field: str, remedy: str) -> None:
    told = check(window, FIELD)
    assert told is not None
    assert told.startswith(f"{FIELD}.{field}: ")
    assert remedy in told
