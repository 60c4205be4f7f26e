"""A CSV with a load: what cannot be right is refused, with the row and the remedy."""

import pytest

from prewarm_operator.simulate.record import RecordRefused, read

HOUR = 3600


def csv(*rows: str, header: str = "timestamp_seconds,requests") -> list[str]:
    return [header, *rows]


def test_seconds_and_requests() -> None:
    record = read(csv("30,4", "45,8.5", "60,0"), "load.csv")
    assert (record.begins_epoch_seconds, record.bin_seconds, record.are_concurrent) == (30.0, 15.0, False)
    assert record.values.tolist() == [4.0, 8.5, 0.0]


def test_requests_become_requests_at_once_by_their_service_time() -> None:
    record = read(csv(*(f"{15 * tick},6" for tick in range(400))), "load.csv")
    assert record.demand(45.0)[-1] == pytest.approx(18.0, rel=1e-6)


def test_requests_at_once_are_taken_as_they_are() -> None:
    record = read(csv("0,6", "60,7", header="timestamp_seconds,concurrent"), "load.csv")
    assert record.demand(45.0).tolist() == [6.0] * 4 + [7.0] * 4


def test_times_with_offset_may_cross_a_clock_change() -> None:
    rows = ("2026-10-25T02:59:45+02:00,1", "2026-10-25T02:00:00+01:00,2", "2026-10-25T01:00:15Z,3")
    record = read(csv(*rows, header="time,requests"), "load.csv")
    assert record.bin_seconds == 15.0
    assert record.begins_epoch_seconds == 1792889985.0


@pytest.mark.parametrize(
    ("rows", "row", "sentence"),
    [
        (("0,1", "15,2", "45,3"), 4, "1 row is missing before it"),
        (("0,1", "15,2", "30,3", "90,4"), 5, "3 rows are missing before it"),
        (("0,1", "15,2", "15,3"), 4, "the time does not rise"),
        (("0,1", "15,2", "0,3"), 4, "the time does not rise"),
        (("15,1", "0,2"), 3, "the time does not rise"),
        (
            ("0,1", "15,2", f"{30 + HOUR},3"),
            4,
            "jumps forward by an hour, as at a clock change; write",
        ),
        ((f"{HOUR},1", f"{HOUR + 15},2", "30,3"), 4, "jumps back by an hour, as at a clock change"),
        (("0,1", "15,2", "20,3"), 4, "it is 5 s after the row before, the others are 15 s"),
        (("0,1", "15,-2"), 3, "requests -2 cannot be a load; write a number from 0 to 1e9"),
        (("0,1", "15,nan"), 3, "requests nan cannot be a load"),
        (("0,1", "15,inf"), 3, "requests inf cannot be a load"),
        (("0,1", "15,1e10"), 3, "requests 1e10 cannot be a load"),
        (("0,1", "15,1,234"), 3, "it has 3 fields and the header has 2; write numbers without commas"),
        (("0,1", "1767225600000,2"), 3, "1767225600000 is after the year 9999; write seconds, not milliseconds"),
        (("0,1", "15,many"), 3, "requests 'many' is no number; write 0 where there was no load"),
        (("0,1", "15,"), 3, "requests '' is no number"),
        (("0,1", "15"), 3, "there must be a time and a number"),
        (("0,1", ""), 3, "there must be a time and a number"),
        (("0,1", "soon,2"), 3, "timestamp_seconds 'soon' is no time; write one like 1767225600"),
        (("0,1", "nan,2"), 3, "timestamp_seconds 'nan' is no time"),
        (("0,1", "7,2"), 3, "the rows are 7 s apart"),
        (("0,1", "3600,2"), 3, "the rows are 3600 s apart"),
    ],
)
def test_the_row_that_is_wrong(rows: tuple[str, ...], row: int, sentence: str) -> None:
    with pytest.raises(RecordRefused) as refused:
        read(csv(*rows), "load.csv")
    assert str(refused.value).startswith(f"load.csv, row {row}: ")
    assert sentence in str(refused.value)


def test_a_time_without_offset() -> None:
    with pytest.raises(RecordRefused, match=r"row 2: .* has no offset.* write UTC, as 2026-01-01T00:00:00Z"):
        read(csv("2026-01-01T00:00:00,1", header="time,requests"), "load.csv")


@pytest.mark.parametrize("text", ["1767225600", "1767225600.5", "1767225600000"])
def test_unix_time_in_the_column_for_text(text: str) -> None:
    with pytest.raises(RecordRefused, match=f"row 2: time '{text}' is Unix time; call the column timestamp_seconds"):
        read(csv(f"{text},1", header="time,requests"), "load.csv")


@pytest.mark.parametrize("header", ["", "a,b", "timestamp_seconds", "timestamp_seconds,tokens", "0,1"])
def test_a_header_that_says_something_else(header: str) -> None:
    with pytest.raises(RecordRefused, match=r"load\.csv, row 1: the header must be timestamp_seconds or time"):
        read(csv("0,1", "15,2", header=header), "load.csv")


def test_too_few_rows() -> None:
    with pytest.raises(RecordRefused, match="two rows at least"):
        read(csv("0,1"), "load.csv")
