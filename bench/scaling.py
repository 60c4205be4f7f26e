"""Pods and cold demand of Prewarm against a HorizontalPodAutoscaler at 70 %: make bench NAME=scaling TRACES=folder.

And how long `prewarm simulate` takes over a week.

Without TRACES small generated loads show that it runs. Takes about ten minutes with a folder of week-long traces; the
definitions are in docs/design/0005-scaling.md.
"""

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from lib import report
from scaling_parts.outcomes import DEFAULT_COLD_SHARE, SETTINGS, Cell, cells
from scaling_parts.scenarios import generated, recorded
from scaling_parts.week import week_seconds

from prewarm_operator.simulate.forecasts import forecasts
from prewarm_operator.simulate.peers import HPA_DEFAULT

COLD_SHARE = 0.001
"""At which pods are compared."""
WORTH_TELLING = 0.0001
"""Smaller cold shares are a handful of requests in days, which no comparison rests on."""
SMALLEST = 1e-6
"""Cold shares below this are taken for it, for the logarithm."""


def pods_over(cell: Cell) -> float:
    """Pod-hours at a cold share of 0.1 % over those of HPA 70, on the curve over the target cold share."""
    pods, cold = curve(cell)
    if cold[-1] > COLD_SHARE:
        return math.inf
    at = float(np.interp(-math.log(COLD_SHARE), -np.log(cold), pods))
    return at / cell.hpa.pod_hours


def cold_over(cell: Cell) -> float:
    """Cold share at HPA 70's own pod-hours over that of HPA 70, on the same curve."""
    pods, cold = curve(cell)
    if cell.hpa.pod_hours < pods[0]:
        return math.inf
    at = math.exp(np.interp(cell.hpa.pod_hours, pods, np.log(cold)))
    return at / max(cell.hpa.cold_share, SMALLEST)


def curve(cell: Cell) -> tuple[list[float], list[float]]:
    """Pod-hours, rising, with the least cold share that they or fewer reach."""
    points = sorted((outcome.pod_hours, outcome.cold_share) for outcome in cell.prewarm.values())
    cold = np.minimum.accumulate([max(share, SMALLEST) for _, share in points])
    return [pods for pods, _ in points], cold.tolist()


def is_worse(cell: Cell) -> bool:
    """By default, more cold demand than HPA 70 for no fewer pods."""
    ours, hpa = cell.prewarm[DEFAULT_COLD_SHARE], cell.hpa
    return ours.cold_share > max(hpa.cold_share, WORTH_TELLING) and ours.pod_hours >= hpa.pod_hours


def figures(found: Sequence[Cell], suffix: str) -> dict[str, report.Figure]:
    """The figures of all cells, under one kind of limits."""
    smooth = {
        f"{cell.scenario.name}_{cell.start_seconds:.0f}s": pods_over(cell)
        for cell in found
        if cell.scenario.days_long and not cell.scenario.bursty
    }
    bursty = [cold_over(cell) for cell in found if cell.scenario.bursty and cell.hpa.cold_share > WORTH_TELLING]
    return {
        **{f"pods_over_hpa70{suffix}_{name}": value for name, value in smooth.items()},
        f"pods_over_hpa70{suffix}_mean": float(np.mean(list(smooth.values()))),
        f"cold_over_hpa70{suffix}": float(np.exp(np.mean(np.log(bursty)))),
        f"scenarios_worse_than_hpa70{suffix}": sum(map(is_worse, found)),
    }


def meanings(names: Iterable[str]) -> dict[str, str]:
    """A sentence for each figure, by what its name begins with."""
    told = {
        "pods_over_hpa70": "pod-hours at a cold share of 0.1 % over HPA 70's (at most 0.80; mean 0.76)",
        "cold_over_hpa70": "cold share at HPA 70's pod-hours over its own, bursty traces where it is above 0.01 % "
        "(at most 0.55)",
        "scenarios_worse_than_hpa70": "cells with more cold demand at no fewer pod-hours, by default (must be 0)",
        "week_seconds": "wall time of prewarm simulate over a generated week (at most 15 on two idle cores)",
    }
    return {name: sentence for name in names for begin, sentence in told.items() if name.startswith(begin)}


def show(cell: Cell) -> None:
    """One line for people: HPA 70, Prewarm's default, and the two comparisons."""
    ours = cell.prewarm[DEFAULT_COLD_SHARE]
    print(
        f"    {cell.start_seconds:3.0f} s: HPA 70 {cell.hpa.pod_hours:7.1f} pod-hours, {cell.hpa.cold_share:8.4%} cold,"
        f" {cell.hpa.starts} starts; Prewarm {ours.pod_hours:7.1f}, {ours.cold_share:8.4%}, {ours.starts};"
        f" pods over {pods_over(cell):.3f}, cold over {cold_over(cell):.3f}",
        flush=True,
    )


def main() -> None:
    """Simulate every scenario and write build/bench/scaling.json."""
    folder = os.environ.get("TRACES")
    default: list[Cell] = []
    equal: list[Cell] = []
    for scenario in recorded(Path(folder)) if folder else generated():
        print(f"  {scenario.name}", flush=True)
        made = forecasts(scenario.demand.tolist(), SETTINGS)
        for limits, found in ((None, default), (HPA_DEFAULT, equal)):
            print("    default limits" if limits is None else "    HPA's limits for both")
            for cell in cells(scenario, made, limits):
                show(cell)
                found.append(cell)
    told = {**figures(default, ""), **figures(equal, "_equal_limits"), "week_seconds": week_seconds()}
    report.write("scaling", told, meanings(told))


if __name__ == "__main__":
    main()
