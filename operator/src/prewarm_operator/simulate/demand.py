"""From recorded requests to the load that pods have to carry."""

import numpy as np
import numpy.typing as npt

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS

Floats = npt.NDArray[np.float64]


def to_ticks(values: Floats, bin_seconds: float, *, rates: bool, seed: int = 7) -> Floats:
    """Values per bin as values per tick of 15 s.

    Args:
        bin_seconds: a divisor or a multiple of 15.
        rates: whether the values are averages, as requests at once, and not counts of requests in a bin.
        seed: which tick of a longer bin a counted request falls into is drawn.
    """
    if bin_seconds >= TICK_SECONDS:
        parts = round(bin_seconds / TICK_SECONDS)
        if rates or parts == 1:
            return np.repeat(values, parts)
        draw = np.random.default_rng(seed)
        return draw.multinomial(np.round(values).astype(np.int64), [1 / parts] * parts).ravel().astype(np.float64)
    parts = round(TICK_SECONDS / bin_seconds)
    whole = values[: len(values) // parts * parts].reshape(-1, parts)
    return np.asarray(whole.mean(axis=1) if rates else whole.sum(axis=1), dtype=np.float64)


def thinned(arrivals: Floats, mean_concurrent: float, service_seconds: float, seed: int = 7) -> Floats:
    """Each request is kept with the probability that leads to that many at once: the shape of the day stays."""
    share = mean_concurrent * TICK_SECONDS / service_seconds / float(arrivals.mean())
    draw = np.random.default_rng(seed)
    return draw.binomial(np.round(arrivals).astype(np.int64), min(1.0, share)).astype(np.float64)


def concurrent(arrivals: Floats, service_seconds: float) -> Floats:
    """Mean number of requests at once in each tick, with exponential service times and arrivals spread over their tick.

    A request occupies the tick of its arrival for `first` ticks on average and the next one for `second`; from there on
    it decays by exp(-tick / service time).
    """
    ratio = service_seconds / TICK_SECONDS
    stays = float(np.exp(-1 / ratio))
    first, second = ratio * (1 - ratio * (1 - stays)), ratio * ratio * (1 - stays) ** 2
    load, carried = np.empty(len(arrivals)), 0.0
    for tick, count in enumerate(arrivals.tolist()):
        load[tick] = first * count + carried
        carried = carried * stays + second * count
    return load
