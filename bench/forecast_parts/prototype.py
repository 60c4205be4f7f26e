"""The reference: the offline prototype on whose figures the forecast was chosen, rewritten without pandas.

Recursive least squares in sqrt space with a seasonal profile, then the quantile of one day's residuals with an
integrator. It sees a whole trace and looks only back. Written as it was measured, oddities included: it is the bar, not
an example.
"""

from bisect import bisect_left, insort

import numpy as np

from forecast_parts.scoring import QUANTILE, horizons
from forecast_parts.traces import Floats, Trace

DAY_SECONDS = 86_400
SLOT_SECONDS = 300
FEATURES = 9


def bounds(trace: Trace) -> Floats:
    """(horizons, bins): the upper bound at QUANTILE for bin t + h as known at bin t."""
    points = _points(trace)
    return np.stack([_conformal(trace, ahead, point) for ahead, point in zip(horizons(trace), points, strict=True)])


def _ewma(values: Floats, half_life_bins: float) -> Floats:
    """Weighted mean with weights that halve each `half_life_bins`, normalised over what there is so far."""
    fade = 0.5 ** (1 / half_life_bins)
    result, total, weight = np.empty(len(values)), 0.0, 0.0
    for index, value in enumerate(values):
        total, weight = total * fade + value, weight * fade + 1
        result[index] = total / weight
    return result


def _running_maximum(values: Floats, window: int) -> Floats:
    padded = np.concatenate([np.full(window - 1, -np.inf), values])
    return np.lib.stride_tricks.sliding_window_view(padded, window).max(1)


def _profile(root: Floats, bin_seconds: int) -> Floats:
    """Expected value by time of day, from earlier days alone; NaN during the first day. A day longer than the trace."""
    in_slot, in_day = SLOT_SECONDS // bin_seconds, DAY_SECONDS // bin_seconds
    slots, days = in_day // in_slot, len(root) // in_day + 2
    padded = np.full(days * in_day, np.nan)
    padded[: len(root)] = root
    known = np.isfinite(padded).reshape(days, slots, in_slot)
    sums = np.where(known, padded.reshape(known.shape), 0).sum(2)
    means = np.where(known.any(2), sums / np.maximum(known.sum(2), 1), np.nan)
    before, current = np.empty((days, slots)), np.full(slots, np.nan)
    for day in range(days):
        before[day] = current
        blended = np.where(np.isnan(current), means[day], 0.65 * current + 0.35 * means[day])
        current = np.where(np.isnan(means[day]), current, blended)
    flat = before.ravel()
    near = np.lib.stride_tricks.sliding_window_view(np.pad(flat, 2, constant_values=np.nan), 5)
    number = np.isfinite(near).sum(1)
    smooth = np.where(number > 0, np.where(np.isfinite(near), near, 0).sum(1) / np.maximum(number, 1), np.nan)
    usable = np.isfinite(smooth)
    result = np.full(days * in_day, np.nan)
    if usable.any():
        middles = (np.arange(days * slots) + 0.5) * in_slot
        result = np.interp(np.arange(days * in_day), middles[usable], smooth[usable])
        result[: int(np.argmax(usable)) * in_slot] = np.nan
    return result


def _features(trace: Trace, root: Floats) -> Floats:
    """(horizons, bins, FEATURES)."""
    bins = len(root)
    e30, e120, e600, e3600 = (_ewma(root, max(s / trace.bin_seconds, 0.35)) for s in (30, 120, 600, 3600))
    maximum = _running_maximum(root, max(1, 600 // trace.bin_seconds))
    profile = _profile(root, trace.bin_seconds)
    now = profile[:bins]
    usual = _ewma(np.where(np.isnan(now), root, now), max(600 / trace.bin_seconds, 0.35))
    result = []
    for ahead in horizons(trace):
        then = profile[ahead : ahead + bins]
        known = np.isfinite(then) & np.isfinite(now)
        increment, deviation = np.where(known, then - usual, 0), np.where(known, e600 - usual, 0)
        parts = [np.ones(bins), e120, root - e120, e30 - e120, e120 - e600, e600 - e3600]
        result.append(np.stack([*parts, increment, deviation, maximum - e120], axis=1))
    return np.stack(result)


def _points(trace: Trace) -> Floats:
    """(horizons, bins): point forecasts, as square roots."""
    root = np.sqrt(np.maximum(trace.load, 0))
    inputs, ahead = _features(trace, root), np.array(horizons(trace))
    heads, forgetting = np.arange(len(ahead)), 1 - trace.bin_seconds / (2 * DAY_SECONDS)
    weights = np.zeros((len(ahead), FEATURES))
    weights[:, 1], weights[:, 6] = 1, 0.5
    covariance = np.repeat(np.eye(FEATURES)[None] / 50, len(ahead), 0)
    covariance[:, 0, 0] = 1e-3
    scale = np.ones(len(ahead))
    result = np.empty((len(ahead), len(root)))
    for t, value in enumerate(root):
        known = t >= ahead
        if known.any():
            x = inputs[heads, np.maximum(t - ahead, 0)]
            gain = np.einsum("hij,hj->hi", covariance, x)
            denominator = forgetting + (x * gain).sum(1)
            error = value - (weights * x).sum(1)
            scale = np.where(known, 0.999 * scale + 0.001 * np.abs(error), scale)
            step = gain / denominator[:, None]
            weights = np.where(
                known[:, None], weights + step * np.clip(error, -12 * scale, 12 * scale)[:, None], weights
            )
            updated = (covariance - step[:, :, None] * gain[:, None, :]) / forgetting
            sane = known & (np.trace(updated, axis1=1, axis2=2) <= 1e3)
            covariance = np.where(sane[:, None, None], updated, covariance)
        result[:, t] = (weights * inputs[:, t]).sum(1)
    return np.clip(result, 0, _running_maximum(root, 7200 // trace.bin_seconds) * 1.6 + 1)


def _conformal(trace: Trace, ahead: int, point: Floats) -> Floats:
    root = np.sqrt(np.maximum(trace.load, 0))
    residuals = np.full(len(root), np.nan)
    residuals[ahead:] = root[ahead:] - point[:-ahead]
    margin, spread = _rolling(residuals, max(20, DAY_SECONDS // trace.bin_seconds))
    integral, result = 0.0, np.empty(len(root))
    for t, value in enumerate(root):
        if t >= ahead:
            missed = value > result[t - ahead]
            integral = min(3.0, max(-1.0, integral + 0.02 * (missed - (1 - QUANTILE)) * trace.bin_seconds / 15))
        result[t] = point[t] + margin[t] + integral * spread[t]
    return np.maximum(0, result) ** 2


def _rolling(residuals: Floats, window: int) -> tuple[Floats, Floats]:
    """Quantile and standard deviation of the last `window` residuals, from twenty on; QUANTILE and 0.5 before."""
    margin, spread = np.full(len(residuals), QUANTILE), np.full(len(residuals), 0.5)
    ordered: list[float] = []
    total = squares = 0.0
    for t, value in enumerate(residuals):
        if np.isfinite(value):
            insort(ordered, value)
            total, squares = total + value, squares + value**2
        gone = residuals[t - window] if t >= window else np.nan
        if np.isfinite(gone):
            del ordered[bisect_left(ordered, gone)]
            total, squares = total - gone, squares - gone**2
        number = len(ordered)
        if number >= 20:
            place = QUANTILE * (number - 1)
            low = int(place)
            high = min(low + 1, number - 1)
            margin[t] = ordered[low] + (place - low) * (ordered[high] - ordered[low])
            spread[t] = np.sqrt(max(0.0, (squares - total**2 / number) / (number - 1)))
    return margin, spread
