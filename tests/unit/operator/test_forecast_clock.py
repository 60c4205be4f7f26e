import numpy as np
import pytest
from unit.operator.forecast_fleets import START, fleet, poisson, run

TICKS = 480
LATER = START + TICKS * 15


@pytest.mark.parametrize("jump_seconds", [3600, -3600, 86_400, -86_400, 50 * 365 * 86_400])
def test_a_clock_that_jumps_leaves_the_forecast_where_it_was(jump_seconds: float) -> None:
    made = fleet("a")
    before = run(made, poisson(20, TICKS))[-1]
    for told in run(made, poisson(20, TICKS, 2), LATER + jump_seconds):
        assert np.all(np.abs(told.point - before.point) < 0.4 * before.point)
        assert np.all(told.upper95 > 0.75 * before.upper95)
        assert np.all(told.upper95 < 1.4 * before.upper95)


def test_a_clock_put_back_does_not_stop_the_learning() -> None:
    made = fleet("a")
    run(made, poisson(20, TICKS))
    seen = made._batch.residuals.seen[0, 0]
    run(made, poisson(20, 100, 2), LATER - 3600)
    assert made._batch.residuals.seen[0, 0] == seen + 100


def test_ticks_that_come_a_little_early_or_late_are_ticks() -> None:
    made, punctual = fleet("a"), fleet("a")
    loads = poisson(20, TICKS)
    late = np.random.default_rng(1).uniform(-4, 4, TICKS)
    for tick, load in enumerate(loads):
        told = made.step(START + tick * 15 + late[tick], [load], [2, 4, 12, 20])
    assert np.allclose(told.point, run(punctual, loads)[-1].point, rtol=0.01)
