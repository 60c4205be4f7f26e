import hashlib
import json

import numpy as np
import pytest
from unit.operator.forecast_fleets import START, equal, fleet, poisson, run

from prewarm_operator.forecast import FleetForecast, StateRefused

TICKS = 500
LATER = START + TICKS * 15


def learned() -> FleetForecast[str]:
    made = fleet("a", "b")
    run(made, [{"a": a, "b": b} for a, b in zip(poisson(20, TICKS), poisson(5, TICKS, 2), strict=True)])
    return made


def edited(saved: bytes, **head: object) -> bytes:
    """The same state with another head, and the checksum of it."""
    line, _, body = saved[32:].partition(b"\n")
    content = json.dumps(json.loads(line) | head).encode() + b"\n" + body
    return hashlib.sha256(content).digest() + content


def test_a_restored_fleet_forecasts_the_same_to_the_last_bit() -> None:
    original = learned()
    copy = fleet("a", "b")
    assert copy.restore(original.save()) == ("a", "b")
    loads = poisson(20, 100, 3)
    for one, other in zip(run(original, loads, LATER), run(copy, loads, LATER), strict=True):
        assert equal(one, other)


def test_restored_rows_find_their_places_and_new_ones_start_cold() -> None:
    original = learned()
    copy = fleet("new", "b")
    assert copy.restore(original.save()) == ("b",)
    one, other = run(original, [4.0], LATER)[0], run(copy, [4.0], LATER)[0]
    assert equal(one, other, 1, 1)
    assert equal(run(fleet("new"), [4.0], LATER)[0], other, 0, 0)


def test_time_that_passed_before_the_restart_is_a_gap() -> None:
    original = learned()
    copy = fleet("a", "b")
    copy.restore(original.save())
    told = run(copy, [{}], LATER + 3600)[0]
    assert np.all(told.point[0] > 15)
    assert np.isnan(told.coverage).all()


def test_keys_of_namespace_and_name_survive() -> None:
    made: FleetForecast[tuple[str, str]] = FleetForecast()
    made.add(("agents", "support"))
    made.step(START, {("agents", "support"): 5.0}, [2, 4, 12, 20])
    copy: FleetForecast[tuple[str, str]] = FleetForecast()
    copy.add(("agents", "support"))
    assert copy.restore(made.save()) == (("agents", "support"),)


@pytest.mark.parametrize("place", [0, 40, 400, -1])
def test_a_damaged_state_is_refused_and_all_start_cold(place: int) -> None:
    saved = bytearray(learned().save())
    saved[place] ^= 1
    copy = fleet("a", "b")
    with pytest.raises(StateRefused, match="checksum"):
        copy.restore(bytes(saved))
    assert equal(run(copy, [4.0], LATER)[0], run(fleet("a", "b"), [4.0], LATER)[0])


@pytest.mark.parametrize("saved", [b"", b"{}", b"x" * 31, b"\n" * 100])
def test_what_is_no_state_is_refused(saved: bytes) -> None:
    with pytest.raises(StateRefused, match="checksum"):
        fleet("a").restore(saved)


def test_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(StateRefused, match="version 99, this one has 2"):
        fleet("a").restore(edited(learned().save(), version=99))


def test_a_state_of_another_tick_or_of_other_horizons_is_refused() -> None:
    with pytest.raises(StateRefused, match=r"tick_seconds 15\.0, this one has 60"):
        fleet("a", tick_seconds=60).restore(learned().save())
    with pytest.raises(StateRefused, match="horizons 4, this one has 2"):
        fleet("a", horizons=2).restore(learned().save())


def test_a_state_with_arrays_of_another_build_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = learned().save()
    monkeypatch.setattr("prewarm_operator.forecast.quality.BUCKETS", 6)
    with pytest.raises(StateRefused, match="of another build"):
        fleet("a").restore(saved)


def test_a_row_that_was_saved_broken_starts_cold_and_the_others_do_not() -> None:
    original = learned()
    original._batch.learner.weights[0, 0, 0] = np.nan
    assert fleet("a", "b").restore(original.save()) == ("b",)


def test_a_state_is_restored_before_the_first_step_or_not_at_all() -> None:
    made = learned()
    with pytest.raises(RuntimeError, match="before its first step"):
        made.restore(made.save())


def test_the_size_of_a_state_is_bounded() -> None:
    made = fleet("a")
    run(made, poisson(20, 300))
    early = len(made.save())
    run(made, poisson(20, 1500, 2), START + 300 * 15)
    assert len(made.save()) < 1.5 * early < 60_000
