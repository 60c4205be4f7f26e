import numpy as np
import pytest
from unit.operator.forecast_fleets import HORIZONS, START, fleet, poisson

TICKS = 1000
QUANTILES = (0.5, 0.9, 0.99)


def test_each_row_has_a_quantile_of_its_own_and_the_bound_at_95_is_the_same() -> None:
    made = fleet("a", "b", "c")
    for tick, load in enumerate(poisson(50, TICKS)):
        told = made.step(START + tick * 15, [load] * 3, HORIZONS, QUANTILES)
    assert np.all(np.diff(told.upper[:, 0]) > 2)
    assert np.allclose(told.upper95, told.upper95[0])


def test_a_quantile_may_change_with_any_step() -> None:
    made = fleet("a")
    for tick, load in enumerate(poisson(50, TICKS)):
        low = made.step(START + tick * 15, [load], HORIZONS, 0.8)
    high = made.step(START + TICKS * 15, [50.0], HORIZONS, 0.995)
    assert np.all(high.upper - high.point > 2 * (low.upper - low.point))


def test_the_quantile_of_the_fleet_is_used_where_a_step_names_none() -> None:
    made, named = fleet("a"), fleet("a")
    made.quantile = 0.9
    for tick, load in enumerate(poisson(50, 300)):
        one = made.step(START + tick * 15, [load], HORIZONS)
        other = named.step(START + tick * 15, [load], HORIZONS, 0.9)
    assert np.array_equal(one.upper, other.upper)


@pytest.mark.parametrize("quantile", [0.0, 1.0, -1.0, 99.0, float("nan")])
def test_a_quantile_that_is_none_is_refused_in_a_sentence(quantile: float) -> None:
    with pytest.raises(ValueError, match="quantile must be between 0 and 1"):
        fleet("a").step(START, [1.0], HORIZONS, quantile)
