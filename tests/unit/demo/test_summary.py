import pytest

from prewarm_demo.load.records import Record
from prewarm_demo.summary import percentile, summarize


def ok(due_seconds: float, latency_seconds: float) -> Record:
    return Record(due_seconds, 0.0, latency_seconds, "ok")


def test_percentile_is_a_value_that_occurred() -> None:
    values = [float(v) for v in range(1, 101)]

    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile(values, 100) == 100
    assert percentile([7.0], 99) == 7
    with pytest.raises(ValueError, match="percentile of nothing"):
        percentile([], 50)


def test_slow_is_measured_against_the_median_before_the_first_event() -> None:
    before = [ok(float(second), 0.2) for second in range(30)]
    after = [ok(30.5, 0.59), ok(31.0, 0.61), ok(32.0, 0.7)]

    summary = summarize(before + after, first_event_seconds=30)

    assert summary.slow_threshold_seconds == pytest.approx(0.6)
    assert summary.slow_share == pytest.approx(2 / 33)


def test_the_baseline_ends_at_the_event_and_begins_thirty_seconds_before() -> None:
    too_early = [ok(second / 10, 9.0) for second in range(95)]
    baseline = [ok(10.0 + second, 0.1) for second in range(30)]
    too_late = [ok(40.1 + second, 9.0) for second in range(95)]

    assert summarize(too_early + baseline + too_late, first_event_seconds=40).slow_threshold_seconds == pytest.approx(
        0.3
    )


def test_a_side_that_is_slow_from_the_start_is_judged_by_its_own_median() -> None:
    slow = [ok(float(second), 5.0) for second in range(60)]

    assert summarize(slow, first_event_seconds=30).slow_share == 0


def test_failures_are_counted_by_kind_and_are_in_no_percentile() -> None:
    answered = [ok(float(second), 0.2) for second in range(30)]
    failed = [Record(31.0, 0.0, 10.0, "timeout"), Record(32.0, 0.0, 0.001, "refused"), Record(33, 0, 0.001, "refused")]

    summary = summarize(answered + failed, first_event_seconds=30)

    assert (summary.requests, summary.failed) == (33, 3)
    assert summary.failures == {"refused": 2, "timeout": 1}
    assert summary.max_seconds == 0.2
    assert summary.slow_share == 0


def test_a_late_generator_is_reported() -> None:
    records = [Record(1.0, 0.001, 0.2, "ok"), Record(2.0, 0.25, 0.4, "ok")]

    assert summarize(records, first_event_seconds=30).max_lag_seconds == 0.25


def test_a_side_that_answered_nothing_before_the_events_has_no_measure() -> None:
    with pytest.raises(ValueError, match="no request was answered in the 30 s before"):
        summarize([Record(1.0, 0.0, 10.0, "timeout"), ok(31.0, 0.2)], first_event_seconds=30)
