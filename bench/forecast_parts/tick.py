"""What one tick of a fleet costs."""

import time

import numpy as np

from prewarm_operator.forecast import FleetForecast

DEPLOYMENTS = 1000
HORIZONS = 4
TICK_SECONDS = 15
WARM_UP_TICKS = 60
TICKS = 400

MEANINGS = {
    "tick_ms_1000_deployments": f"CPU of one tick for {DEPLOYMENTS} deployments and {HORIZONS} horizons, all of it, "
    f"mean of {TICKS} (at most 15)"
}


def measure() -> dict[str, float]:
    """Step a fleet whose deployments all learn, each with horizons of its own."""
    print(f"  {DEPLOYMENTS} deployments", flush=True)
    chance = np.random.default_rng(0)
    fleet: FleetForecast[tuple[str, str]] = FleetForecast(TICK_SECONDS, HORIZONS)
    keys = [("agents", f"agent-{number}") for number in range(DEPLOYMENTS)]
    for key in keys:
        fleet.add(key)
    usual = chance.uniform(1, 50, DEPLOYMENTS)
    horizons = chance.integers(2, 9, DEPLOYMENTS)[:, None] + [0, 4, 12, 20]
    spent = 0.0
    for tick in range(WARM_UP_TICKS + TICKS):
        load = dict(zip(keys, chance.poisson(usual).astype(float).tolist(), strict=True))
        before = time.process_time()
        fleet.step(tick * TICK_SECONDS, load, horizons)
        spent += (time.process_time() - before) * (tick >= WARM_UP_TICKS)
    return {"tick_ms_1000_deployments": spent / TICKS * 1000}
