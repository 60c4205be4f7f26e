import numpy as np
import pytest
from unit.operator.forecast_fleets import START, daily, fleet

MINUTES = (1, 3, 10)
MEANS = {"small": 4.0, "medium": 40.0, "large": 900.0}


@pytest.fixture(scope="module")
def told() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four days: loads (ticks, rows), bounds at .95 and at the quantile of .9 (ticks, rows, horizons)."""
    made = fleet(*MEANS, tick_seconds=60.0, horizons=len(MINUTES))
    loads = np.array([daily(mean, 4, 60.0, seed) for seed, mean in enumerate(MEANS.values())]).T
    forecasts = [made.step(START + 60 * tick, load, MINUTES, 0.9) for tick, load in enumerate(loads)]
    return loads, np.array([each.upper95 for each in forecasts]), np.array([each.upper for each in forecasts])


@pytest.mark.parametrize(("bound", "nominal"), [(1, 0.95), (2, 0.9)])
def test_coverage_on_a_daily_pattern_is_nominal(told: tuple[np.ndarray, ...], bound: int, nominal: float) -> None:
    loads, first = told[0], int(len(told[0]) * 0.55)
    for head, ahead in enumerate(MINUTES):
        covered = (loads[first + ahead :] <= told[bound][first:-ahead, :, head]).mean(axis=0)
        assert np.all(np.abs(covered - nominal) < 0.015), (ahead, covered)


def test_a_bound_is_narrow_where_the_load_is_regular(told: tuple[np.ndarray, ...]) -> None:
    """Half a standard deviation more than the true quantile of a Poisson variable, at most."""
    first = int(len(told[0]) * 0.55)
    at = np.arange(len(told[0])) * 60
    usual = 900 * (1 - 0.8 * np.cos(2 * np.pi * at / 86_400))
    excess = (told[1][first:-1, 2, 0] - usual[first + 1 :]) / np.sqrt(usual[first + 1 :])
    assert 1.3 < np.median(excess) < 2.15


def test_coverage_comes_back_within_hours_after_the_noise_has_grown_fourfold() -> None:
    """It then errs on the side of too much for a day, until the calm is forgotten."""
    chance = np.random.default_rng(3)
    made = fleet("a", tick_seconds=60.0, horizons=1)
    loads = np.maximum(0, np.concatenate([chance.normal(400, 20, 2000), chance.normal(400, 80, 2000)]))
    bounds = [made.step(START + 60 * tick, [load], [3]).upper95[0, 0] for tick, load in enumerate(loads)]
    covered = loads[3:] <= np.array(bounds)[:-3]
    assert np.mean(covered[2000:2060]) < 0.85
    assert np.mean(covered[2120:2500]) > 0.935
    assert 0.935 < np.mean(covered[3500:]) < 0.985
