"""Against the offline prototype, on the days-long traces."""

from collections.abc import Sequence

import numpy as np

from forecast_parts import prototype, scoring
from forecast_parts.scoring import HORIZONS_SECONDS, QUANTILE
from forecast_parts.traces import Trace

MEANINGS = {
    f"pinball95_over_prototype_{seconds}s": f"pinball loss at .95, {seconds} s ahead, over that of the offline "
    "prototype, geometric mean over the days-long traces (at most 1.0)"
    for seconds in HORIZONS_SECONDS
} | {
    "coverage95_worst": "share of the readings under the bound at .95: the one farthest from .95 over days-long "
    "traces and horizons (0.935 to 0.965)"
}


def measure(traces: Sequence[Trace]) -> dict[str, float]:
    """Forecast every tick of each trace in its order, and score the last part."""
    ratios: list[list[float]] = []
    coverages: list[float] = []
    for trace in (trace for trace in traces if trace.days_long):
        print(f"  {trace.name}: ours", flush=True)
        told = scoring.ours(trace)
        print(f"  {trace.name}: the prototype", flush=True)
        reference = prototype.bounds(trace)
        first, ratios_of_trace = scoring.first_scored(trace), []
        for head, ahead in enumerate(scoring.horizons(trace)):
            came = trace.load[first + ahead :]
            bound, other = told[head, first:-ahead], reference[head, first:-ahead]
            ratios_of_trace.append(scoring.pinball(came, bound) / scoring.pinball(came, other))
            coverages.append(float((came <= bound).mean()))
            print(
                f"    {HORIZONS_SECONDS[head]} s: {ratios_of_trace[-1]:.3f} of its loss, coverage {coverages[-1]:.3f}"
            )
        ratios.append(ratios_of_trace)
    means = [scoring.geometric_mean(column) for column in np.array(ratios).T]
    figures = {
        f"pinball95_over_prototype_{seconds}s": mean for seconds, mean in zip(HORIZONS_SECONDS, means, strict=True)
    }
    figures["coverage95_worst"] = max(coverages, key=lambda coverage: abs(coverage - QUANTILE))
    return figures
