import math

import numpy as np
import pytest
from unit.operator.forecast_fleets import START, equal, fleet, poisson, run

TICKS = 200
LATER = START + TICKS * 15


@pytest.mark.parametrize("reading", [math.inf, -math.inf, -1.0, -1e308, 1e308, 1e10])
def test_what_is_no_load_is_held_like_a_gap(reading: float) -> None:
    made, gapped = fleet("a"), fleet("a")
    run(made, poisson(20, TICKS))
    run(gapped, poisson(20, TICKS))
    for one, other in zip(
        run(made, [reading, reading, 21.0], LATER), run(gapped, [math.nan, math.nan, 21.0], LATER), strict=True
    ):
        assert equal(one, other)


def test_a_reading_that_is_missing_is_held_while_the_others_go_on() -> None:
    made = fleet("a", "b")
    before = run(made, [20.0] * TICKS)[-1]
    told = run(made, [{"b": 40.0}] * 20, LATER)[-1]
    assert np.allclose(told.point[0], before.point[0], rtol=0.05)
    assert np.all(told.point[1] > 30)


def test_loads_come_by_key_or_in_the_order_of_the_keys() -> None:
    by_key, in_order = fleet("a", "b"), fleet("a", "b")
    for tick in range(30):
        one = by_key.step(START + tick * 15, {"b": 7.0, "a": 3.0}, [2, 4, 12, 20])
        other = in_order.step(START + tick * 15, np.array([3.0, 7.0]), [2, 4, 12, 20])
        assert equal(one, other)


def test_loads_of_another_number_than_the_deployments_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"load has shape \(3,\) for 2 deployments: give one value for each key"):
        fleet("a", "b").step(START, np.zeros(3), [2, 4, 12, 20])


def test_a_load_of_zero_is_a_load() -> None:
    made = fleet("a")
    run(made, [20.0] * TICKS)
    told = run(made, [0.0] * 240, LATER)[-1]
    assert told.point.max() < 1
