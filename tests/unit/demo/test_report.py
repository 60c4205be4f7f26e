from dataclasses import replace

import pytest
from rich.console import Console

from prewarm_demo.act1 import broken_promises
from prewarm_demo.report.table import SideReport, comparison
from prewarm_demo.summary import Summary
from prewarm_demo.trial.side import EventTimes
from prewarm_demo.trial.sigkill import KillRun

SUMMARY = Summary(
    requests=5040,
    failed=0,
    failures={},
    p50_seconds=0.205,
    p99_seconds=0.231,
    max_seconds=0.512,
    slow_share=0.0,
    slow_threshold_seconds=0.615,
    max_lag_seconds=0.004,
)
EVENTS = [EventTimes("scale from 2 to 5", 31.0, 6.2, True), EventTimes("delete a pod", 60.0, 8.0, True)]
OURS = SideReport("Prewarm", SUMMARY, [2.0, 3.0, 4.0], EVENTS, {"bind": 0.01, "import": 0.6}, 0)
THEIRS = replace(
    OURS,
    name="built in the handler",
    summary=replace(SUMMARY, failed=7, failures={"refused": 4, "timeout": 3}, slow_share=0.25),
    events=[EVENTS[0], replace(EVENTS[1], under_load=False)],
    phases={},
    built_after_warm=None,
)


def test_a_run_that_keeps_every_promise_has_nothing_to_say() -> None:
    assert broken_promises(OURS) == []


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (replace(OURS, summary=replace(SUMMARY, failed=1, failures={"broken": 1})), "1 requests to Prewarm failed"),
        (replace(OURS, summary=replace(SUMMARY, slow_share=0.0011)), "0.110% of Prewarm's answers were slow"),
        (replace(OURS, built_after_warm=2.0), "2 resources were built by pods that were already warm"),
        (replace(OURS, start_seconds=[3.0] * 8 + [15.1] * 2), "pods took 15.1 s (p90) to be Ready"),
        (replace(OURS, events=[replace(EVENTS[0], under_load=False)]), "'scale from 2 to 5' took longer than the load"),
    ],
)
def test_each_broken_promise_is_one_sentence(report: SideReport, sentence: str) -> None:
    broken = broken_promises(report)

    assert len(broken) == 1
    assert sentence in broken[0]


def test_the_limits_themselves_are_kept_promises() -> None:
    at_limits = replace(OURS, summary=replace(SUMMARY, slow_share=0.001), start_seconds=[15.0])

    assert broken_promises(at_limits) == []


def test_the_table_shows_both_sides() -> None:
    console = Console(width=140, record=True, quiet=False, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(comparison("title", [OURS, THEIRS]))
    rows = {line.split("│")[1].strip(): line for line in captured.get().splitlines() if line.startswith("│")}

    assert "5,040" in rows["requests"]
    assert "7 (4 refused, 3 timeout)" in rows["failed"]
    assert "231 ms" in rows["latency p99"]
    assert "0.00% (over 615 ms)" in rows["slow"]
    assert "25.00%" in rows["slow"]
    assert "p50 3.0 s, p90 4.0 s (3 pods)" in rows["pod created to serving"]
    assert "bind 0.01 s" in rows["startup phases, mean"]
    assert "import 0.60 s" in rows[""]
    assert "longer than the load" in rows["delete a pod"]


@pytest.mark.parametrize(
    ("failures", "sentence"),
    [
        ({}, "SIGKILL of a container with 2 requests in flight: 0 of 480 requests failed."),
        ({"broken": 2}, "SIGKILL of a container with 2 requests in flight: 2 of 480 requests failed: 2 broken."),
    ],
)
def test_what_a_sigkill_broke_is_set_against_what_was_in_flight(failures: dict[str, int], sentence: str) -> None:
    assert KillRun(480, 2, failures).describe() == sentence


def test_what_a_sigkill_refused_is_told_apart_from_what_it_broke() -> None:
    sentence = KillRun(480, 2, {"broken": 2, "refused": 1}).describe()

    assert "3 of 480 requests failed: 2 broken, 1 refused (a new connection" in sentence
