"""What one fleet has learned goes over into another that is under way."""

import numpy as np
import pytest
from unit.operator.forecast_fleets import START, equal, fleet, poisson, run

TICKS = 400
AFTER = START + TICKS * 15
FIRST, SECOND = poisson(20, TICKS), poisson(5, TICKS, 2)


def both(ticks: slice = slice(None)) -> list[dict[str, float]]:
    return [{"a": a, "b": b} for a, b in zip(FIRST[ticks], SECOND[ticks], strict=True)]


def test_a_row_that_is_replayed_goes_on_as_if_it_had_been_there_from_the_beginning() -> None:
    original, late = fleet("a", "b"), fleet("a")
    run(original, both())
    run(late, FIRST)
    late.add("b")
    replay = late.beside(START)
    replay.add("b")
    run(replay, SECOND)
    late.adopt(replay, ["b"])
    for one, other in zip(run(original, FIRST, AFTER), run(late, FIRST, AFTER), strict=True):
        assert equal(one, other)


def test_a_fleet_that_has_not_begun_adopts_too() -> None:
    original, late = fleet("a", "b"), fleet("a", "b")
    run(original, both())
    replay = late.beside(START)
    for key in ("a", "b"):
        replay.add(key)
    run(replay, both())
    late.adopt(replay, ["a", "b"])
    for one, other in zip(run(original, [4.0] * 50, AFTER), run(late, [4.0] * 50, AFTER), strict=True):
        assert equal(one, other)


def test_what_was_restored_in_parts_is_what_was_saved_of_them() -> None:
    original, restored = fleet("a", "b"), fleet("b", "a", "c")
    run(original, both())
    for key in ("a", "b"):
        part = fleet(key)
        assert part.restore(original.save([key, "gone"])) == (key,)
        restored.adopt(part, [key])
    one, other = run(original, [4.0], AFTER)[0], run(restored, [4.0], AFTER)[0]
    assert equal(one, other, 0, 1)
    assert equal(one, other, 1, 0)
    assert other.valid[2]


def test_ticks_that_pass_during_a_replay_are_a_gap() -> None:
    late = fleet("a")
    replay = late.beside(START)
    replay.add("a")
    run(replay, [20.0] * 200)
    run(late, [20.0], START + 210 * 15)
    late.adopt(replay, ["a"])
    told = run(late, [20.0], START + 211 * 15)[0]
    assert told.coverage[0] > 0.9
    assert 15 < told.point[0, 0] < 25


@pytest.mark.parametrize("keys", [["a"], ["b"], []])
def test_only_rows_that_both_have_are_adopted(keys: list[str]) -> None:
    late = fleet("a")
    run(late, [3.0] * 50)
    replay = late.beside(START)
    replay.add("b")
    run(replay, [50.0] * 50)
    late.adopt(replay, keys)
    assert run(late, [3.0], START + 50 * 15)[0].upper[0, 0] < 20


def test_horizons_of_another_length_do_not_matter() -> None:
    late = fleet("a")
    run(late, [20.0] * 10, horizons=(2, 4, 12, 20))
    replay = late.beside(START - 15 * 190)
    replay.add("a")
    run(replay, [20.0] * 200, START - 15 * 190, horizons=(20, 30, 60, 90))
    late.adopt(replay, ["a"])
    told = run(late, [20.0] * 5, START + 15 * 10)[-1]
    assert np.isfinite(told.upper).all()
