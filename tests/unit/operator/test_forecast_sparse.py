import numpy as np
import pytest
from unit.operator.forecast_fleets import START, fleet, run

HOUR = 240


def test_a_sparse_row_keeps_the_largest_load_of_the_last_ten_minutes() -> None:
    made = fleet("a")
    run(made, [0.0] * HOUR)
    told = run(made, [2.0, 0.0, *[0.0] * 60], START + HOUR * 15)
    for forecasts in told[:36]:
        assert forecasts.sparse[0]
        assert forecasts.upper == pytest.approx(2)
        assert forecasts.upper95 == pytest.approx(2)
        assert np.all(forecasts.point <= 2)
    assert told[44].upper.max() == 0


def test_a_row_with_more_than_one_request_in_the_mean_of_an_hour_is_not_sparse() -> None:
    made = fleet("a", "b")
    told = run(made, [{"a": 0.9, "b": 1.1}] * HOUR)[-1]
    assert told.sparse.tolist() == [True, False]


def test_sparse_is_a_matter_of_the_mean_not_of_the_root() -> None:
    """Forty requests at once, every ten minutes, are two in the mean and much less in the root's mean."""
    made = fleet("a")
    told = run(made, [40.0 if tick % 40 in (0, 1) else 0.0 for tick in range(3 * HOUR)])
    assert not any(forecasts.sparse[0] for forecasts in told[HOUR:])
