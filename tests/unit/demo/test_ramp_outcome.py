from dataclasses import replace

import pytest
from rich.console import Console

from prewarm_demo.act2 import broken_promises
from prewarm_demo.cluster.pods import Pod
from prewarm_demo.load.records import Record
from prewarm_demo.ramp.outcome import RampSummary, most_at_once, seconds_within, summarize, unloaded
from prewarm_demo.ramp.table import ramp_table

SPAN = (100.0, 200.0)
OURS = RampSummary("Prewarm", 800, {}, 4, 4.01, 5.2, 2450.4, 12, 0.004)
THEIRS = replace(OURS, name="reactive rule alone", slow=40, failures={"status 429": 9}, pod_seconds=2210.2)


def ok(due_seconds: float, latency_seconds: float) -> Record:
    return Record(due_seconds, 0.0, latency_seconds, "ok")


def pod(created_seconds: float, ended_seconds: float | None = None) -> Pod:
    return Pod("ramp-1", "1", created_seconds, ended=ended_seconds is not None, ended_seconds=ended_seconds)


@pytest.mark.parametrize(
    ("there", "seconds"),
    [(pod(0), 100), (pod(150), 50), (pod(120, 140), 20), (pod(120, 250), 80), (pod(10, 90), 0), (pod(250), 0)],
)
def test_a_pod_counts_from_created_to_gone_while_the_load_runs(there: Pod, seconds: float) -> None:
    assert seconds_within(there, SPAN) == seconds


def test_pods_that_never_met_do_not_add_up() -> None:
    assert most_at_once([pod(0, 120), pod(130, 140), pod(135), pod(300)], SPAN) == 2
    assert most_at_once([pod(300)], SPAN) == 0


def test_unloaded_are_answers_to_requests_that_found_a_free_place() -> None:
    first, second, third, last = ok(0, 4.0), ok(1, 4.1), ok(2, 7.0), ok(20, 4.2)

    assert unloaded([first, second, third, last], places=2) == [4.0, 4.1, 4.2]
    assert unloaded([Record(0, 0, 1.0, "status 429")], places=2) == []


def test_late_answers_and_failures_are_slow() -> None:
    records = [ok(0, 4.0), ok(1, 6.1), ok(2, 6.0), Record(3, 0.2, 2.0, "status 429")]
    summary = summarize("Prewarm", records, [pod(0), pod(150)], threshold_seconds=6.0, span=SPAN)

    assert (summary.slow, summary.slow_share) == (2, 0.5)
    assert summary.failures == {"status 429": 1}
    assert summary.pod_seconds == 150
    assert summary.most_pods == 2
    assert summary.max_lag_seconds == 0.2


def test_fewer_slow_answers_than_the_reactive_rule_are_the_promise() -> None:
    assert broken_promises(OURS, THEIRS) == []
    assert broken_promises(OURS, replace(THEIRS, slow=4)) == [
        "0.50% of Prewarm's answers were slow, 0.50% of the reactive rule's; it must be fewer."
    ]


def test_a_request_may_fail_for_want_of_a_place_alone() -> None:
    assert broken_promises(replace(OURS, failures={"status 429": 2}), THEIRS) == []
    (sentence,) = broken_promises(replace(OURS, failures={"broken": 1}), THEIRS)
    assert "{'broken': 1}" in sentence


def test_the_table_shows_both_sides_and_says_what_they_are() -> None:
    console = Console(width=110, record=True)
    console.print(ramp_table([OURS, THEIRS], 6.0))
    text = console.export_text()

    for shown in (
        "0.50% (4)",
        "5.00% (40)",
        "9 status 429",
        "2,450",
        "2,210",
        "later than 6.0 s",
        "without a forecast",
    ):
        assert shown in " ".join(text.split()), shown
