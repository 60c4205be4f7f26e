import json
from typing import Any

import pytest

from prewarm_operator.signals.pod_load import SILENT_SECONDS, Heard, NotALoad, PodLoad, agent_reading, parse
from prewarm_operator.signals.reading import Validity

LINE = {"state": "warm", "in_flight": 3, "queued": 1, "limit": 10, "queue_limit": 2, "refused": 2}
NOW = 500.0


def line(**fields: Any) -> bytes:
    return json.dumps({**LINE, "upstream_error_share": 0.25, **fields}).encode()


def heard(in_flight: int, *, age: float = 0.0, share: float = 0.0, queued: int = 0, refused: int = 0) -> Heard:
    return Heard(PodLoad(in_flight, queued, refused, share), NOW - age)


def test_a_line_is_read() -> None:
    assert parse(line()) == PodLoad(3, 1, 2, 0.25)


@pytest.mark.parametrize(
    "bad",
    [
        b"hello",
        b"[]",
        b"{}",
        b"",
        line(in_flight="3"),
        line(in_flight=-1),
        line(queued=1e308),
        line(refused=True),
        line(upstream_error_share=1.5),
        line(in_flight=float("nan")),
        line(in_flight=float("inf")),
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_load_is_refused(bad: bytes) -> None:
    with pytest.raises(NotALoad):
        parse(bad)


def test_the_load_is_what_all_pods_work_on_have_queued_and_have_refused() -> None:
    reading, _ = agent_reading({"a", "b"}, {"a": heard(3, queued=1), "b": heard(2, refused=4)}, 10, NOW)
    assert (reading.value, reading.validity) == (10.0, Validity.VALID)


def test_a_pod_is_not_trusted_with_more_than_the_spec_gave_it() -> None:
    reading, _ = agent_reading({"a"}, {"a": heard(10**6, queued=10**6, refused=10**6)}, 10, NOW)
    assert reading.value == 10 + 2 + 20


def test_a_draining_pods_requests_are_load() -> None:
    reading, _ = agent_reading({"a"}, {"a": heard(3), "leaving": heard(4)}, 10, NOW)
    assert (reading.value, reading.validity) == (7.0, Validity.VALID)


@pytest.mark.parametrize("lines", [{"a": heard(3)}, {"a": heard(3), "b": heard(9, age=SILENT_SECONDS + 1)}])
def test_a_ready_pod_that_is_not_heard_makes_the_load_known_in_part(lines: dict[str, Heard]) -> None:
    reading, _ = agent_reading({"a", "b"}, lines, 10, NOW)
    assert (reading.value, reading.validity, reading.problem) == (3.0, Validity.PARTIAL, "misses 1 of 2 Ready pods")


@pytest.mark.parametrize("ready", [set(), {"a"}])
def test_no_pod_that_is_heard_is_no_reading(ready: set[str]) -> None:
    reading, upstream = agent_reading(ready, {}, 10, NOW)
    assert (reading.validity, upstream) == (Validity.INVALID, None)


def test_a_busy_pod_knows_more_of_the_model_api_than_an_idle_one() -> None:
    _, upstream = agent_reading({"a", "b"}, {"a": heard(9, share=0.5), "b": heard(0, share=0.0)}, 10, NOW)
    assert upstream is not None
    assert upstream.error_share == pytest.approx(5 / 11)
