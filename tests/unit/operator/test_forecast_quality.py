import numpy as np
import pytest
from unit.operator.forecast_fleets import START, fleet, poisson, run

HOUR = 240
AHEAD = 2


def test_coverage_and_pinball_are_those_of_the_last_hour() -> None:
    """A reading is judged when the next one has come; the hour is counted in steps of five minutes."""
    made = fleet("a")
    ticks = 6 * HOUR - 1
    loads = np.array(poisson(20, ticks))
    told = run(made, loads.tolist())
    last = np.arange(ticks - HOUR, ticks - 1)
    bounds = np.array([told[tick - AHEAD].upper95[0, 0] for tick in last])
    missed = loads[last] - bounds
    assert told[-1].coverage[0] == pytest.approx(np.mean(loads[last] <= bounds))
    assert told[-1].pinball[0] == pytest.approx(np.mean(np.maximum(0.95 * missed, -0.05 * missed)), rel=1e-4)


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    told = run(fleet("a"), [20.0])[0]
    assert np.isnan(told.coverage[0])
    assert np.isnan(told.pinball[0])
    assert not told.poor[0]


def test_a_forecast_that_misses_is_poor_and_not_so_an_hour_after_it_stopped() -> None:
    """A load that grows so fast that the ceiling stays below it; beside it, one that does not."""
    made = fleet("a", "calm")
    calm = poisson(20, 3 * HOUR)
    assert not run(made, [{"a": load, "calm": load} for load in calm])[-1].poor.any()
    growth = [{"a": 20 * 1.3**tick, "calm": load} for tick, load in enumerate(calm[:60])]
    during = run(made, growth, START + 3 * HOUR * 15)[-1]
    assert during.poor.tolist() == [True, False]
    after = run(made, [{"a": 5e7, "calm": load} for load in calm[: HOUR + 40]], START + (3 * HOUR + 60) * 15)[-1]
    assert not after.poor.any()


def test_what_equals_its_bound_is_covered() -> None:
    """The bound of a sparse row is a load that was there before, often the very same."""
    told = run(fleet("a"), [0.7] * HOUR)[-1]
    assert told.coverage[0] == 1
