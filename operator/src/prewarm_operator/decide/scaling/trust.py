"""Whether what is known about the load may be believed: unknown is not zero."""

import math

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Term
from prewarm_operator.signals.reading import AHEAD_SECONDS, FRESH_SECONDS, Reading, Validity
from prewarm_operator.world.scaling import Forecast


def trust(reading: Reading | None, now: float) -> tuple[Validity, str]:
    """How far a reading can be believed, and why not further, as a clause."""
    if reading is None:
        return Validity.INVALID, "nothing reports it yet"
    if reading.validity is Validity.INVALID:
        return Validity.INVALID, f"{reading.source} {reading.problem}"
    if not (math.isfinite(reading.value) and reading.value >= 0):
        return Validity.INVALID, f"{reading.source} says {reading.value}"
    age_seconds = now - reading.at_seconds
    if not -AHEAD_SECONDS <= age_seconds <= FRESH_SECONDS:
        return Validity.INVALID, f"{reading.source} {_age(age_seconds)}"
    if reading.validity is Validity.PARTIAL:
        return Validity.PARTIAL, f"{reading.source} {reading.problem}"
    return Validity.VALID, ""


def counts(forecast: Forecast | None, now: float) -> Term | None:
    """Why a forecast does not count, None if it does."""
    if forecast is None:
        return _no_forecast("nothing has made one yet")
    if not forecast.valid:
        return _no_forecast(forecast.problem)
    if not all(math.isfinite(load) and load >= 0 for load in (forecast.upper, *forecast.later)):
        return _no_forecast(f"it says {forecast.upper}")
    age_seconds = now - forecast.at_seconds
    if not -AHEAD_SECONDS <= age_seconds <= FRESH_SECONDS:
        return _no_forecast(f"the last one {_age(age_seconds)}")
    if forecast.poor:
        share = "too few" if forecast.coverage is None else f"{forecast.coverage:.1%}"
        message = f"the forecast was high enough for {share} of the last hour's loads: the load now counts alone"
        return Term("forecast", None, reasons.FORECAST_POOR, message)
    return None


def _no_forecast(problem: str) -> Term:
    return Term("forecast", None, reasons.NO_FORECAST, f"there is no forecast: {problem}")


def _age(seconds: float) -> str:
    """Without the age itself: it grows, and the status would be written again for it."""
    return f"is more than {FRESH_SECONDS:.0f} s old" if seconds > 0 else "is of a time to come"
