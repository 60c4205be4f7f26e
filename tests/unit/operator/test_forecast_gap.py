import math

import numpy as np
from unit.operator.forecast_fleets import START, daily, fleet, poisson, run

HOUR = 240
NOTHING: dict[str, float] = {}


def test_a_gap_holds_the_forecast_and_is_never_zero() -> None:
    made = fleet("a")
    before = run(made, poisson(20, 2 * HOUR))[-1]
    for held in run(made, [NOTHING] * 120, START + 2 * HOUR * 15):
        assert np.all(held.point > 0.8 * before.point)
        assert np.all(held.point < 1.2 * before.point)
        assert np.all(held.upper95 > 0.8 * before.upper95)
        assert held.valid.all()


def test_a_gap_teaches_nothing() -> None:
    loads = poisson(20, 4 * HOUR)
    gapped = loads[: 2 * HOUR] + [math.nan] * 120 + loads[2 * HOUR + 120 :]
    told, reference = run(fleet("a"), gapped)[-1], run(fleet("a"), loads)[-1]
    assert np.allclose(told.point, reference.point, rtol=0.1)
    assert np.allclose(told.upper95, reference.upper95, rtol=0.1)


def test_a_tick_in_twenty_that_is_missing_costs_no_coverage() -> None:
    loads = np.array(daily(30, 3, 60.0))
    missing = np.random.default_rng(5).random(len(loads)) < 0.05
    told = run(fleet("a", tick_seconds=60.0), np.where(missing, math.nan, loads).tolist(), horizons=[1, 3, 5, 10])
    first = len(loads) // 2
    for head, ahead in enumerate([1, 3, 5, 10]):
        bounds = np.array([forecasts.upper95[0, head] for forecasts in told[first:-ahead]])
        assert 0.93 < np.mean(loads[first + ahead :] <= bounds) < 0.97


def test_ticks_that_never_came_are_a_gap_too() -> None:
    stalled, reported = fleet("a"), fleet("a")
    for made in (stalled, reported):
        run(made, poisson(20, 2 * HOUR))
    after = START + 2 * HOUR * 15
    run(reported, [math.nan] * 3, after)
    one, other = run(stalled, [25.0, 21.0], after + 45)[-1], run(reported, [25.0, 21.0], after + 45)[-1]
    assert np.allclose(one.point, other.point, rtol=0.02)
    assert np.array_equal(stalled._batch.levels.confirmed, reported._batch.levels.confirmed)
