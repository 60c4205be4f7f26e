"""Against the automatic models of statsforecast, each fitted anew at every origin to the last four hours of minutes."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from forecast_parts import scoring
from forecast_parts.scoring import HORIZONS_SECONDS, QUANTILE
from forecast_parts.traces import Floats, Trace

BIN_SECONDS = 60
HISTORY_BINS = 240
ORIGINS = 1000
CALIBRATION_ORIGINS = 200
"""Before the scored ones: residuals for the bound around a library's point forecasts."""

MEANINGS = {
    f"over_best_library_{seconds}s": f"pinball loss at .95, {seconds} s ahead, over that of the better of AutoETS and "
    "AutoTheta on the last 4 h, geometric mean over the days-long traces with 60 s bins (at most 1.05)"
    for seconds in HORIZONS_SECONDS
}


def measure(traces: Sequence[Trace]) -> dict[str, float]:
    """Empty, and a sentence, where statsforecast is not installed."""
    try:
        from statsforecast.models import AutoETS, AutoTheta
    except ModuleNotFoundError:
        print(
            "  over_best_library is left out: statsforecast is not installed here; "
            "make bench NAME=forecast has an environment with it, from requirements/forecasting.txt"
        )
        return {}
    models = {"AutoETS": lambda: AutoETS(season_length=1), "AutoTheta": lambda: AutoTheta(season_length=1)}
    ratios = [_ratios(trace, models) for trace in traces if trace.days_long and trace.bin_seconds == BIN_SECONDS]
    return {
        f"over_best_library_{seconds}s": scoring.geometric_mean(column)
        for seconds, column in zip(HORIZONS_SECONDS, np.array(ratios).T.tolist(), strict=True)
    }


def _ratios(trace: Trace, models: dict[str, Callable[[], Any]]) -> list[float]:
    first, ahead = scoring.first_scored(trace), np.array(scoring.horizons(trace))
    scored = np.linspace(first, len(trace.load) - ahead.max() - 1, ORIGINS).astype(int)
    spacing = max(1, int(np.diff(scored).min()))
    calibration = first - spacing * np.arange(CALIBRATION_ORIGINS, 0, -1)
    origins = np.concatenate([calibration[calibration >= HISTORY_BINS - 1], scored])
    came = trace.load[scored + ahead[:, None]]
    losses: dict[str, list[float]] = {}
    for name, model in models.items():
        point, native = _forecasts(trace, name, model, origins)
        bounds = {"its own interval": native, "residuals": _around(trace.load, point, origins)}
        for kind, bound in bounds.items():
            pairs = zip(came, bound[:, -len(scored) :], strict=True)
            losses[f"{name}, {kind}"] = [scoring.pinball(load, told) for load, told in pairs]
    ours = [scoring.pinball(load, told) for load, told in zip(came, scoring.ours(trace)[:, scored], strict=True)]
    for name, values in losses.items():
        print(
            f"    {name}: ours has "
            + ", ".join(f"{a / b:.3f}" for a, b in zip(ours, values, strict=True))
            + " of its loss"
        )
    return [own / min(others) for own, others in zip(ours, np.array(list(losses.values())).T.tolist(), strict=True)]


def _forecasts(trace: Trace, name: str, model: Callable[[], Any], origins: Any) -> tuple[Floats, Floats]:
    """(horizons, origins): point forecasts and the upper ends of the two-sided interval whose upper end is QUANTILE."""
    level = round(100 - 2 * (1 - QUANTILE) * 100)
    steps = np.array(scoring.horizons(trace))
    points, uppers = [], []
    for number, origin in enumerate(origins):
        if number % 200 == 0:
            print(f"  {trace.name}: {name}, origin {number} of {len(origins)}", flush=True)
        history = trace.load[origin + 1 - HISTORY_BINS : origin + 1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = model().forecast(y=history, h=int(steps.max()), level=[level])
        points.append(np.asarray(told["mean"], dtype=float)[steps - 1])
        uppers.append(np.asarray(told[f"hi-{level}"], dtype=float)[steps - 1])
    return np.maximum(0, np.array(points).T), np.maximum(0, np.array(uppers).T)


def _around(load: Floats, point: Floats, origins: Any) -> Floats:
    """(horizons, origins): point forecasts with the QUANTILE of the residuals known by then, as square roots."""
    result = np.empty_like(point)
    for head, seconds in enumerate(HORIZONS_SECONDS):
        ahead = seconds // BIN_SECONDS
        root = np.sqrt(point[head])
        residual = np.sqrt(load[np.minimum(origins + ahead, len(load) - 1)]) - root
        for number, origin in enumerate(origins):
            known = residual[:number][origins[:number] + ahead <= origin]
            margin = np.quantile(known, QUANTILE) if len(known) >= 20 else QUANTILE
            result[head, number] = max(0, root[number] + margin) ** 2
    return result
