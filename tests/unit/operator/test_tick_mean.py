import math

from prewarm_operator.signals.mean import TickMean


def test_a_value_weighs_as_long_as_it_held() -> None:
    mean = TickMean()
    mean.set(10.0, 100.0)
    mean.set(40.0, 110.0)
    assert mean.take(115.0) == (10.0 * 10 + 40.0 * 5) / 15


def test_a_time_in_which_nothing_is_known_does_not_count_as_no_load() -> None:
    mean = TickMean()
    mean.set(10.0, 100.0)
    mean.set(math.nan, 105.0)
    assert mean.take(115.0) == 10.0


def test_a_tick_in_which_nothing_was_known_is_unknown() -> None:
    assert math.isnan(TickMean().take(15.0))


def test_the_value_goes_on_into_the_next_tick() -> None:
    mean = TickMean()
    mean.set(10.0, 100.0)
    mean.take(115.0)
    assert mean.take(130.0) == 10.0
