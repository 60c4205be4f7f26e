import numpy as np
import pytest
from unit.operator.forecast_fleets import START, fleet, poisson, run

TICKS = 400
LATER = START + TICKS * 15


def test_a_horizon_may_change_at_any_time() -> None:
    made = fleet("a", "b")
    before = run(made, poisson(20, TICKS))[-1]
    for index, ahead in enumerate(([1, 1, 1, 1], [40, 41, 90, 200], [3, 5, 13, 21])):
        told = run(made, poisson(20, 50, index), LATER + index * 750, ahead)
        assert np.allclose(told[-1].point, before.point, rtol=0.25)
        assert np.all(told[-1].upper95 >= told[-1].point)


def test_a_horizon_that_outgrows_what_was_kept_loses_no_judgement_and_brings_in_none() -> None:
    made = fleet("a", horizons=2)
    run(made, poisson(20, TICKS), horizons=[2, 4])
    before = made._batch.residuals.seen[0].copy()
    run(made, poisson(20, 100), LATER, [2, 200])
    assert (made._batch.residuals.seen[0] - before).tolist() == [100, 5]


def test_each_row_has_horizons_of_its_own() -> None:
    """A ramp: who looks further ahead sees more."""
    made = fleet("near", "far", horizons=1)
    ramp = np.linspace(10, 400, 1500)
    told = run(made, ramp.tolist(), horizons=np.array([[2], [60]]))
    errors = [told[-61].point[row, 0] - ramp[-61 + ahead] for row, ahead in enumerate((2, 60))]
    assert told[-1].point[1, 0] > told[-1].point[0, 0] + 5
    assert np.all(np.abs(errors) < 8)


def test_a_horizon_that_wobbles_every_tick_is_judged_and_learned_all_the_same() -> None:
    wobbling, steady = fleet("a", horizons=1), fleet("a", horizons=1)
    loads = poisson(20, TICKS)
    for tick, load in enumerate(loads):
        told = wobbling.step(START + tick * 15, [load], [2 + tick % 2])
    reference = run(steady, loads, horizons=[2])[-1]
    assert abs(told.coverage[0] - reference.coverage[0]) < 0.04
    assert wobbling._batch.residuals.seen[0, 0] > 0.4 * TICKS
    assert np.allclose(told.upper95, reference.upper95, rtol=0.15)


@pytest.mark.parametrize("ahead", [0, -3, 10**6])
def test_a_horizon_beyond_the_bounds_is_brought_back_into_them(ahead: int) -> None:
    made = fleet("a", horizons=1)
    told = run(made, poisson(20, 300), horizons=[ahead])[-1]
    assert np.isfinite(told.upper).all()
    assert made._batch.due.ticks < 260


def test_horizons_of_the_wrong_shape_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\): give \(1, 4\), or \(4,\) for all alike"):
        run(fleet("a"), [1.0], horizons=[1, 2, 3])
