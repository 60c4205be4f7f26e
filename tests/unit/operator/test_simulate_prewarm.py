"""Prewarm's own policy in the simulator is the operator's decision."""

import math
from collections.abc import Sequence

import numpy as np
from unit.operator.scaling_inputs import AT_ONCE

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS, horizons_ticks
from prewarm_operator.decide.scaling.model import Mode, Policy, Verdict
from prewarm_operator.decide.schedule import Window
from prewarm_operator.simulate.pods import run
from prewarm_operator.simulate.prewarm import Forecasts, Prewarm
from prewarm_operator.world.scaling import Forecast

POLICY = Policy(Mode.AUTO, 1, 100, 10, 7.0, stabilization_seconds=60.0, down=AT_ONCE)
DAY_TICKS = 5760


def nothing(_tick: int) -> Forecast | None:
    return None


def knows_the_future(demand: Sequence[float], start_seconds: float) -> Forecasts:
    """The load itself at each horizon, counted from the last tick whose load is known."""
    own, *later = horizons_ticks(start_seconds, TICK_SECONDS)

    def forecast(tick: int) -> Forecast:
        ahead = [demand[min(len(demand) - 1, tick - 1 + ticks)] for ticks in (own, *later)]
        return Forecast(tick * TICK_SECONDS, own * TICK_SECONDS, ahead[0], tuple(ahead[1:]))

    return forecast


def ramp() -> list[float]:
    return [20.0] * 40 + [20.0 + 2 * step for step in range(40)] + [100.0] * 40


def test_without_a_forecast_it_follows_the_load_of_the_tick_before() -> None:
    outcome = run([7.0, 70.0, 70.0, 7.0], 10, 0.0, Prewarm([7.0, 70.0, 70.0, 7.0], POLICY, nothing))
    assert outcome.total == (1, 1, 10, 10)


def test_with_a_forecast_that_is_right_nothing_is_cold_on_a_ramp() -> None:
    demand = ramp()
    ahead = run(demand, 10, 45.0, Prewarm(demand, POLICY, knows_the_future(demand, 45.0)))
    after = run(demand, 10, 45.0, Prewarm(demand, POLICY, lambda tick: Forecast(tick * 15.0, 60.0, demand[tick - 1])))
    assert ahead.cold_share == 0.0
    assert after.cold_share > 0.01


def test_the_own_horizon_is_the_start_time_and_one_tick() -> None:
    assert horizons_ticks(45.0, 15.0) == (4, 8, 16, 24)
    assert horizons_ticks(1.2, 15.0) == (2, 6, 14, 22)


def test_windows_open_by_the_time_of_the_record() -> None:
    window = Window("peak", "UTC", "1 0 * * *", 60.0, 6)
    demand = [7.0] * 16
    counts = run(demand, 10, 0.0, Prewarm(demand, POLICY, nothing, (window,), begins_epoch_seconds=86_400.0)).total
    assert counts[:8] == (1, 1, 1, 1, 6, 6, 6, 6)
    assert counts[-1] == 1
    later = run(demand, 10, 0.0, Prewarm(demand, POLICY, nothing, (window,), begins_epoch_seconds=90_000.0)).total
    assert set(later) == {1}


def test_a_noisy_day_that_is_foreseen_is_hardly_ever_cold_and_leaves_a_short_history() -> None:
    wave = 50 + 40 * np.sin(np.arange(DAY_TICKS) / DAY_TICKS * 2 * math.pi)
    demand = np.random.default_rng(7).poisson(wave).astype(float).tolist()
    histories = []

    class Told(Prewarm):
        def decide(self, tick: int, total: int) -> Verdict:
            verdict = super().decide(tick, total)
            histories.append(self._history)
            return verdict

    outcome = run(demand, 10, 45.0, Told(demand, POLICY, knows_the_future(demand, 45.0)))
    assert outcome.cold_share < 0.001
    longest = max(len(history.recommended) + len(history.awaited) + len(history.changes) for history in histories)
    assert 3 < longest < 20  # or decisions would become slower by and by
