import numpy as np
import pytest
from unit.operator.forecast_fleets import START, equal, fleet, poisson, run

TICKS = 200
LATER = START + TICKS * 15
LOADS = [
    {"a": a, "b": b, "c": c}
    for a, b, c in zip(poisson(5, TICKS, 1), poisson(20, TICKS, 2), poisson(80, TICKS, 3), strict=True)
]


def test_a_row_knows_nothing_of_its_neighbours() -> None:
    together, alone = fleet("a", "b", "c"), fleet("b")
    assert equal(run(together, LOADS)[-1], run(alone, LOADS)[-1], 1, 0)


def test_the_others_stay_as_they_are_when_one_is_removed() -> None:
    shrunk, whole = fleet("a", "b", "c"), fleet("a", "b", "c")
    run(shrunk, LOADS)
    run(whole, LOADS)
    shrunk.remove("b")
    shrunk.remove("never there")
    one, other = run(shrunk, LOADS, LATER)[-1], run(whole, LOADS, LATER)[-1]
    assert one.keys == ("a", "c")
    assert equal(one, other, slice(None), [0, 2])


def test_one_that_comes_later_starts_cold_and_disturbs_nobody() -> None:
    grown, whole = fleet("a", "b"), fleet("a", "b")
    run(grown, LOADS)
    run(whole, LOADS)
    grown.add("c")
    grown.add("a")
    one, other = run(grown, LOADS, LATER), run(whole, LOADS, LATER)
    assert one[-1].keys == ("a", "b", "c")
    assert equal(one[-1], other[-1], [0, 1])
    assert equal(one[0], run(fleet("c"), LOADS[:1], LATER)[0], 2, 0)


def test_one_that_was_removed_and_comes_back_has_forgotten_everything() -> None:
    made = fleet("a", "b", "c")
    run(made, LOADS)
    made.remove("a")
    made.add("a")
    assert made.keys == ("b", "c", "a")
    assert equal(run(made, LOADS[:1], LATER)[0], run(fleet("a"), LOADS[:1], LATER)[0], 2, 0)


def test_a_row_is_not_valid_before_its_first_reading_and_is_sensible_from_it() -> None:
    made = fleet("a")
    nothing = run(made, [{}])[0]
    assert not nothing.valid[0]
    assert nothing.upper.max() == 0
    first = run(made, [16.0], START + 15)[0]
    assert first.valid[0]
    assert first.point == pytest.approx(16)
    assert np.all((first.upper95 > 18) & (first.upper95 <= 1.6 * 16 + 1e-9))


def test_a_fleet_of_nobody_forecasts_nothing() -> None:
    assert run(fleet(), [{}])[0].point.shape == (0, 4)
