import numpy as np
import pytest
from unit.operator.forecast_fleets import START, fleet, poisson, run

from prewarm_operator.forecast.learner import Learner

TICKS = 300
LATER = START + TICKS * 15


def say(monkeypatch: pytest.MonkeyPatch, root: float) -> None:
    """Let every head forecast this."""
    monkeypatch.setattr(Learner, "predict", lambda _, features: np.full(features.shape[:2], root))


@pytest.mark.parametrize("root", [1e3, 1e150, -1e150])
def test_a_forecast_that_explodes_stays_under_the_ceiling(root: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made, loads = fleet("a"), poisson(20, TICKS)
    run(made, loads)
    say(monkeypatch, root)
    for told in run(made, [20.0] * 20, LATER):
        for figures in (told.point, told.upper, told.upper95):
            assert np.isfinite(figures).all()
            assert np.all((figures >= 0) & (figures <= 1.6 * max(loads) + 1e-9))


@pytest.mark.parametrize("weight", [np.nan, np.inf])
def test_a_head_that_gives_no_number_starts_again_and_recovers(weight: float) -> None:
    made = fleet("a", "b")
    run(made, poisson(20, TICKS))
    made._batch.learner.weights[0, 1] = weight
    told = run(made, [20.0] * 40, LATER)
    assert np.isfinite(told[0].point).all()
    assert np.allclose(told[-1].point[0], 20, rtol=0.15)


def test_a_head_that_has_learned_nonsense_starts_again_within_the_hour() -> None:
    """A load that grows by a third each tick teaches weights in the thousands, to which calm looks like anything."""
    made, loads = fleet("a"), poisson(20, TICKS)
    run(made, loads)
    run(made, [20 * 1.3**tick for tick in range(60)], LATER)
    told = run(made, [5e7] * 240, LATER + 60 * 15)[-1]
    assert np.allclose(told.point, 5e7, rtol=0.1)


def test_the_ceiling_is_what_the_last_two_hours_had(monkeypatch: pytest.MonkeyPatch) -> None:
    made = fleet("a")
    run(made, [100.0] * 480)
    say(monkeypatch, 1e3)
    told = run(made, [10.0] * 520, START + 480 * 15)
    assert 100 < told[450].point.max() <= 160 + 1e-9
    assert told[510].point.max() <= 16 + 1e-9


def test_nights_without_any_load_do_not_wind_the_learner_up() -> None:
    made = fleet("a", tick_seconds=600.0)
    run(made, [0.0] * 1000)
    assert np.trace(made._batch.learner.covariance[0, 0]) < 1
    told = run(made, [5.0] * 10, START + 1000 * 600)
    assert np.all(told[-1].point <= 8)
    assert np.all(told[-1].point > 3)


def test_the_covariance_stays_symmetric_to_the_last_bit() -> None:
    made = fleet("a")
    run(made, poisson(20, TICKS))
    covariance = made._batch.learner.covariance
    assert np.array_equal(covariance, np.swapaxes(covariance, -1, -2))
