"""Which of two sources counts, case by case."""

import pytest

from prewarm_operator.signals.combined import combined
from prewarm_operator.signals.reading import Reading, Validity

NOW = 500.0
VALID, PARTIAL, INVALID = Validity.VALID, Validity.PARTIAL, Validity.INVALID
PROBLEMS = {VALID: "", PARTIAL: "misses some", INVALID: "is silent"}


def of(source: str, validity: Validity, value: float, *, age: float = 0.0) -> Reading:
    return Reading(value, NOW - age, source, validity, PROBLEMS[validity])


@pytest.mark.parametrize(
    ("streams", "prometheus", "value", "validity", "source"),
    [
        ((VALID, 9), (VALID, 4), 9, VALID, "streams"),
        ((VALID, 4), (VALID, 9), 4, VALID, "streams"),  # of the same pods, and older
        ((VALID, 9), (PARTIAL, 20), 9, VALID, "streams"),
        ((VALID, 9), (INVALID, 0), 9, VALID, "streams"),  # kedacore/keda 6659
        ((PARTIAL, 4), (VALID, 9), 9, VALID, "prometheus"),
        ((PARTIAL, 9), (VALID, 4), 9, VALID, "streams"),
        ((PARTIAL, 4), (PARTIAL, 9), 9, PARTIAL, "streams"),
        ((PARTIAL, 4), (INVALID, 0), 4, PARTIAL, "streams"),
        ((INVALID, 0), (VALID, 9), 9, VALID, "prometheus"),
        ((INVALID, 0), (PARTIAL, 9), 9, PARTIAL, "prometheus"),
        ((INVALID, 0), (INVALID, 0), 0, INVALID, "streams"),
    ],
)
def test_streams_and_the_question_for_all(
    streams: tuple[Validity, float],
    prometheus: tuple[Validity, float],
    value: float,
    validity: Validity,
    source: str,
) -> None:
    reading = combined(of("streams", *streams), of("prometheus", *prometheus), NOW)
    assert (reading.value, reading.validity, reading.source) == (value, validity, source)
    assert bool(reading.problem) is (validity is not VALID)


@pytest.mark.parametrize(
    ("streams", "own", "value", "validity", "source"),
    [
        ((VALID, 9), (VALID, 4), 9, VALID, "streams"),
        ((VALID, 4), (VALID, 9), 9, VALID, "own"),
        ((VALID, 9), (INVALID, 0), 9, PARTIAL, "own"),  # what the query would know may be more
        ((VALID, 4), (PARTIAL, 9), 9, PARTIAL, "own"),
        ((PARTIAL, 9), (VALID, 4), 9, PARTIAL, "streams"),  # what the silent pods work on is in no queue any more
        ((PARTIAL, 4), (VALID, 9), 9, PARTIAL, "streams"),
        ((PARTIAL, 9), (INVALID, 0), 9, PARTIAL, "own"),
        ((INVALID, 0), (VALID, 9), 9, VALID, "own"),  # an image without /load
        ((INVALID, 0), (INVALID, 0), 0, INVALID, "streams"),
    ],
)
def test_streams_and_an_own_query(
    streams: tuple[Validity, float], own: tuple[Validity, float], value: float, validity: Validity, source: str
) -> None:
    reading = combined(of("streams", *streams), of("own", *own), NOW, own_query=True)
    assert (reading.value, reading.validity, reading.source) == (value, validity, source)


def test_without_prometheus_the_streams_are_all_there_is() -> None:
    streams = of("streams", PARTIAL, 3)
    assert combined(streams, None, NOW) is streams


def test_two_sources_that_know_nothing_are_both_named() -> None:
    reading = combined(of("streams", INVALID, 0), of("Prometheus", INVALID, 0), NOW)
    assert reading.problem == "is silent, and Prometheus is silent"


def test_old_samples_are_none_of_now() -> None:
    reading = combined(of("streams", PARTIAL, 3), of("prometheus", VALID, 9, age=46), NOW)
    assert (reading.value, reading.validity) == (3, PARTIAL)
    assert combined(of("streams", INVALID, 0), of("prometheus", VALID, 9, age=46), NOW).validity is INVALID
    assert combined(of("streams", INVALID, 0), of("prometheus", VALID, 9, age=44), NOW).validity is VALID
