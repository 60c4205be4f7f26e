"""How far ahead a forecast must look, in the ticks in which it is made."""

import math

TICK_SECONDS = 15.0
"""Between two forecasts, as between two scrapes."""

LATER_SECONDS = (60.0, 180.0, 300.0)
"""After the time when a pod that is asked for now would serve: what is needed until then is not taken away."""


def horizons_ticks(start_seconds: float, tick_seconds: float) -> tuple[int, ...]:
    """Horizons in ticks: the own one, then those of LATER_SECONDS.

    Args:
        start_seconds: P90 from pod created to Ready. The own horizon is this and one tick, for the load that is known
            is that of the last tick.
    """
    own = math.ceil(start_seconds / tick_seconds) + 1
    return (own, *(own + math.ceil(later / tick_seconds) for later in LATER_SECONDS))
