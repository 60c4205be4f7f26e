"""How good the forecast is and what it costs: make bench NAME=forecast TRACES=folder.

Without TRACES, on a small generated trace. Each tick of a trace is forecast from what was known by then; the last 45 %
count. Takes about five minutes with the traces of the README, most of it for the
models of statsforecast.
"""

import os

from forecast_parts import accuracy, libraries, tick, traces
from lib import report


def main() -> None:
    """Run all parts and write build/bench/forecast.json."""
    loads = traces.read(os.environ.get("TRACES"))
    figures: dict[str, report.Figure] = {**tick.measure(), **accuracy.measure(loads), **libraries.measure(loads)}
    report.write("forecast", figures, accuracy.MEANINGS | tick.MEANINGS | libraries.MEANINGS)


if __name__ == "__main__":
    main()
