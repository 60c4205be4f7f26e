"""The command `prewarm simulate` as a process, and loads for it."""

import asyncio
import math
import os
import subprocess
import sys
from pathlib import Path

LOADS = [round(20 + 15 * math.sin(tick / 20)) for tick in range(120)]
"""Requests in each 15 s, or at once: a wave."""


def command(*arguments: object, **environment: str) -> tuple[list[str], dict[str, str]]:
    """The command line and its environment."""
    line = [sys.executable, "-m", "prewarm_operator.commands.main", "simulate", *map(str, arguments)]
    paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path)
    return line, {**os.environ, "NO_COLOR": "1", "PYTHONPATH": paths, **environment}


def simulate(folder: Path, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end in a folder."""
    line, known = command(*arguments, **environment)
    return subprocess.run(line, capture_output=True, text=True, cwd=folder, env=known, timeout=120)


async def simulate_beside(folder: Path, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The same while this process serves what it asks."""
    return await asyncio.to_thread(simulate, folder, *arguments, **environment)


def write_load(file: Path, header: str = "timestamp_seconds,requests", begin: int = 0) -> Path:
    """A record of LOADS that begins at a time in epoch seconds."""
    rows = (f"{begin + 15 * tick},{load}" for tick, load in enumerate(LOADS))
    file.write_text("\n".join((header, *rows, "")))
    return file


def rows(printed: str) -> dict[str, list[str]]:
    """Pod-hours, relation to the HPA, cold share, cold time and starts, by setting."""
    found = {}
    for line in printed.splitlines():
        name, *values = line.strip().split("  ")
        cells = [value.strip() for value in values if value.strip()]
        if len(cells) == 5 and name != "policy":
            found[name.removesuffix(" *")] = cells
    return found
