import numpy as np
import pytest
from unit.operator.forecast_fleets import START, fleet, poisson, run

HOUR = 240


@pytest.mark.parametrize("tick_seconds", [15.0, 60.0])
@pytest.mark.parametrize("mean", [3.0, 20.0])
def test_a_spike_of_one_tick_is_gone_from_the_forecast_within_two_minutes(tick_seconds: float, mean: float) -> None:
    with_spike, without = fleet("a", tick_seconds=tick_seconds), fleet("a", tick_seconds=tick_seconds)
    loads = poisson(mean, 3 * HOUR)
    spiked = [*loads]
    spiked[2 * HOUR] = 50 * mean
    told, reference = run(with_spike, spiked), run(without, loads)
    after = 2 * HOUR + int(120 / tick_seconds)
    for index in range(after, len(loads)):
        for name, tolerance in (("point", 0.1), ("upper", 0.15), ("upper95", 0.1)):
            wanted = getattr(reference[index], name)
            off = np.abs(getattr(told[index], name) - wanted)
            assert np.all(off < tolerance * np.maximum(wanted, mean)), (name, index)


def test_a_burst_that_lasts_is_no_spike() -> None:
    made = fleet("a")
    run(made, poisson(20, 2 * HOUR))
    told = run(made, [1000.0] * 8, START + 2 * HOUR * 15)
    assert told[-1].upper[0, 0] > 800
    assert told[-1].point[0, 0] > 500


def test_what_was_forecast_from_a_spike_teaches_nothing() -> None:
    loads = poisson(20, 4 * HOUR)
    spiked = [*loads]
    for index in range(HOUR, 3 * HOUR, 60):
        spiked[index] = 1000.0
    with_spikes, without = fleet("a"), fleet("a")
    told, reference = run(with_spikes, spiked)[-1], run(without, loads)[-1]
    assert np.allclose(told.point, reference.point, rtol=0.05)
    assert np.allclose(told.upper95, reference.upper95, rtol=0.1)
