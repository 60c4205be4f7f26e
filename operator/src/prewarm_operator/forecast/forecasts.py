"""What the forecast tells."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from prewarm_operator.forecast.arrays import Bools, Floats, Ints

Key = TypeVar("Key", bound=tuple[str, ...] | str)


@dataclass(frozen=True)
class Forecasts(Generic[Key]):
    """One tick's forecasts, in units of the load. Rows are deployments in the order of `keys`, columns are horizons."""

    keys: tuple[Key, ...]
    point: Floats
    upper: Floats
    """At the row's own quantile."""
    upper95: Floats
    valid: Bools
    """(rows,): there has been a reading. Until then the other figures are zero."""
    sparse: Bools
    """(rows,): the bounds are the largest load of the last ten minutes."""
    poor: Bools
    """(rows,): the last hour's coverage is so poor that the forecast is not to be relied on."""
    coverage: Floats
    """(rows,): share of the last hour's readings at or under the first horizon's `upper95`; NaN without any."""
    pinball: Floats
    """(rows,): mean pinball loss of the same, in units of the load."""
    judged: Ints
    """(rows,): how many readings of the last hour these two rest on."""
