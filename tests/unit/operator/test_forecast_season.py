import math

import numpy as np
import pytest
from unit.operator.forecast_fleets import START, daily, fleet, run

from prewarm_operator.forecast.season import SLOTS, Season

MINUTE = 60.0
MORNING = 5 * 60
"""Minutes of the day at which the daily pattern rises."""


def profile(loads: list[float], start: float = 0.0) -> np.ndarray:
    season = Season.cold(1, MINUTE)
    for tick, load in enumerate(loads):
        at = np.array([start + tick * MINUTE])
        season.learn(np.sqrt(np.array([max(load, 0)])), at, np.array([not math.isnan(load)]))
    return season.mean[0].astype(float)


def test_a_partial_first_slot_is_divided_by_the_readings_it_had() -> None:
    learned = profile([9.0] * 20, start=2 * MINUTE)
    assert learned[0] == pytest.approx(3)
    assert learned[1] == pytest.approx(3)


def test_less_than_half_a_slot_makes_no_beginning() -> None:
    learned = profile([9.0] * 20, start=3 * MINUTE)
    assert np.isnan(learned[0])
    assert learned[1] == pytest.approx(3)


def test_a_gap_is_not_in_the_profile() -> None:
    learned = profile([9.0, math.nan, 9.0, math.nan, 9.0] + [math.nan] * 5 + [16.0] * 6)
    assert learned[0] == pytest.approx(3)
    assert np.isnan(learned[1])
    assert learned[2] == pytest.approx(4)


def test_a_slot_with_few_readings_corrects_what_is_known_by_as_little() -> None:
    day = SLOTS * 5
    whole = profile([9.0] * day + [36.0] * 6)
    one_of_five = profile([9.0] * day + [36.0] + [math.nan] * 4 + [36.0])
    assert whole[0] == pytest.approx(3 + 0.35 * 3)
    assert one_of_five[0] == pytest.approx(3 + 0.35 * 3 / 5)


def test_a_rise_that_comes_every_day_is_seen_before_it_comes() -> None:
    made = fleet("a", tick_seconds=MINUTE, horizons=2)
    told = run(made, [20.0 if tick % 1440 < 480 else 30.0 for tick in range(3 * 1440 + 480)], horizons=[1, 12])[-1]
    assert told.point[0, 1] > 1.07 * told.point[0, 0]


def test_the_day_goes_on_through_a_gap() -> None:
    made = fleet("a", tick_seconds=MINUTE, horizons=1)
    loads = daily(100, 3, MINUTE)
    run(made, loads, horizons=[10])
    run(made, loads[:MORNING], START + 3 * 86_400, horizons=[10])
    held = run(made, [{}] * 60, START + 3 * 86_400 + MORNING * MINUTE, horizons=[10])
    assert held[-1].point[0, 0] > held[0].point[0, 0] + 3
