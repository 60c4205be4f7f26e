"""The numbers of GET /load."""

from collections.abc import Callable

import pytest

from prewarm_agent.admission.load import Load


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def load(clock: Clock) -> Load:
    return Load(clock=clock)


def test_a_new_process_has_nothing_to_do(load: Load) -> None:
    assert load.snapshot() == {
        "in_flight": 0,
        "queued": 0,
        "limit": 0,
        "queue_limit": 0,
        "refused": 0,
        "upstream_error_share": 0.0,
    }


def test_refusals_are_forgotten_after_five_seconds(load: Load, clock: Clock) -> None:
    for _ in range(3):
        load.refused()
        clock.now += 1
    assert load.snapshot()["refused"] == 3
    clock.now += 1.9
    assert load.snapshot()["refused"] == 3
    clock.now += 1.2
    assert load.snapshot()["refused"] == 1
    clock.now += 1
    assert load.snapshot()["refused"] == 0


def test_the_share_of_failed_model_calls_is_that_of_the_last_thirty_seconds(load: Load, clock: Clock) -> None:
    load.model_call(ok=False)
    assert load.snapshot()["upstream_error_share"] == 1
    clock.now += 20
    for ok in (True, True, False):
        load.model_call(ok)
    assert load.snapshot()["upstream_error_share"] == 0.5
    clock.now += 15
    assert load.snapshot()["upstream_error_share"] == pytest.approx(1 / 3, abs=0.0001)
    clock.now += 20
    assert load.snapshot()["upstream_error_share"] == 0


def test_a_flood_of_calls_takes_no_more_memory_than_a_few(load: Load, clock: Clock) -> None:
    for _ in range(10_000):
        load.model_call(ok=True)
        load.refused()
        clock.now += 0.01
    assert all(len(window._steps) <= 21 for window in (load._model_calls, load._refused))


@pytest.mark.parametrize("report", [Load.changed, Load.refused, lambda load: load.model_call(ok=True)])
def test_who_watches_hears_of_every_change_until_he_stops(load: Load, report: Callable[[Load], None]) -> None:
    heard = []
    with load.watched(lambda: heard.append(1)):
        report(load)
        assert len(heard) == 1
    report(load)
    assert len(heard) == 1
