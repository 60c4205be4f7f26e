"""Loads to forecast: the files of a folder that traces.json describes, or a generated one."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GENERATED_DAYS = 3
GENERATED_BIN_SECONDS = 60
SEED = 20261125


@dataclass(frozen=True)
class Trace:
    """One value per bin."""

    name: str
    bin_seconds: int
    days_long: bool
    load: Floats


def read(folder: str | None) -> list[Trace]:
    """The traces of a folder, or the generated one without a folder. A folder without an index ends the program."""
    if not folder:
        return [generated()]
    index = Path(folder) / "traces.json"
    if not index.is_file():
        raise SystemExit(
            f"TRACES={folder} has no traces.json: name a folder of traces, or leave TRACES out for a generated one"
        )
    return [
        Trace(
            name=Path(name).stem,
            bin_seconds=about["bin_seconds"],
            days_long=about["days_long"],
            load=np.loadtxt(index.parent / name, delimiter=",", skiprows=1, usecols=1),
        )
        for name, about in json.loads(index.read_text()).items()
    ]


def generated() -> Trace:
    """Three days with a daily pattern, Poisson noise, and a burst every few hours that fades within minutes."""
    chance = np.random.default_rng(SEED)
    bins = GENERATED_DAYS * 86_400 // GENERATED_BIN_SECONDS
    at = np.arange(bins) * GENERATED_BIN_SECONDS
    usual = 40 * (1 - 0.7 * np.cos(2 * np.pi * at / 86_400))
    bursts = np.zeros(bins)
    for start in np.flatnonzero(chance.random(bins) < 1 / 200):
        bursts[start : start + 20] += 60 * 0.8 ** np.arange(len(bursts[start : start + 20]))
    return Trace("generated", GENERATED_BIN_SECONDS, True, chance.poisson(usual + bursts).astype(np.float64))
