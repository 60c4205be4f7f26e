import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.operator.forecast_fleets import START, equal, fleet

READING = st.one_of(
    st.floats(0, 1e4),
    st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf, -1.0, 1e308, 1e9, 5e-324]),
)
TICK = st.tuples(
    st.tuples(READING, READING),
    st.floats(-7200, 7200) | st.sampled_from([15.0] * 5),
    st.tuples(*[st.integers(-1, 300)] * 2),
    st.floats(0.5, 0.999),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TICK, min_size=1, max_size=60))
def test_forecasts_are_finite_and_within_their_bounds_whatever_is_read(
    ticks: list[tuple[tuple[float, float], float, tuple[int, int], float]],
) -> None:
    made, at, largest = fleet("a", "b", horizons=2), START, np.zeros(2)
    for loads, later, ahead, quantile in ticks:
        at += later
        told = made.step(at, loads, ahead, quantile)
        largest = np.maximum(largest, [load if 0 <= load <= 1e9 else 0 for load in loads])
        for figures in (told.point, told.upper, told.upper95):
            assert np.isfinite(figures).all()
            assert np.all(figures >= 0)
            assert np.all(figures <= 1.6 * largest[:, None] * (1 + 1e-6))


@settings(max_examples=20, deadline=None)
@given(st.lists(TICK, min_size=2, max_size=40), st.data())
def test_a_state_saved_at_any_time_goes_on_as_if_nothing_had_happened(
    ticks: list[tuple[tuple[float, float], float, tuple[int, int], float]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(ticks) - 1))
    made, at = fleet("a", "b", horizons=2), START
    for loads, later, ahead, quantile in ticks[:cut]:
        at += later
        made.step(at, loads, ahead, quantile)
    copy = fleet("a", "b", horizons=2)
    assert copy.restore(made.save()) == ("a", "b")
    for loads, later, ahead, quantile in ticks[cut:]:
        at += later
        assert equal(made.step(at, loads, ahead, quantile), copy.step(at, loads, ahead, quantile))
