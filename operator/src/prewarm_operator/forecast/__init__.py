"""What load each deployment will have: pure arithmetic on readings, without a clock of its own."""

from prewarm_operator.forecast.fleet import FleetForecast
from prewarm_operator.forecast.forecasts import Forecasts
from prewarm_operator.forecast.state import StateRefused

__all__ = ["FleetForecast", "Forecasts", "StateRefused"]
