"""How long `prewarm simulate` takes over a week."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

WEEK_TICKS = 7 * 5760
MEAN_REQUESTS = 60
"""In each tick: 120 at once with requests of 30 s, so about 40 pods with the limit below."""

LIMIT = 4


def week_seconds() -> float:
    """Wall time of the whole command over a generated week in steps of 15 s, from its start to its end."""
    day = np.sin(np.arange(WEEK_TICKS) / 5760 * 2 * np.pi)
    requests = np.random.default_rng(7).poisson(MEAN_REQUESTS * (1 + 0.5 * day))
    rows = (f"{15 * tick},{count}" for tick, count in enumerate(requests))
    with TemporaryDirectory() as folder:
        record, report = Path(folder, "week.csv"), Path(folder, "week.html")
        record.write_text("\n".join(("timestamp_seconds,requests", *rows, "")))
        command = [sys.executable, "-m", "prewarm_operator.commands.main", "simulate", str(record)]
        began = time.monotonic()
        subprocess.run(
            [*command, f"--report={report}", f"--concurrency-limit={LIMIT}"], stdout=subprocess.DEVNULL, check=True
        )
        return time.monotonic() - began
