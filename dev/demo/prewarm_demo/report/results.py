"""build/demo.json: the figures of all acts that ran, and where and on what they were measured."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prewarm_demo.cluster.api import Api

Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class Outcome:
    """What an act comes to: its figures, details for the file, and a sentence for each promise that was not kept."""

    figures: Figures
    details: dict[str, Any]
    broken: list[str]


def merge(path: Path, *, figures: Figures, act: str, details: dict[str, Any], surroundings: dict[str, Any]) -> None:
    """Write an act's figures and details into the file and keep those of the other acts."""
    try:
        results = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        results = {}
    results["figures"] = {**results.get("figures", {}), **figures}
    results["acts"] = {**results.get("acts", {}), act: details}
    results.update(surroundings)
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(results), parse_float=lambda text: round(float(text), 6))
    path.write_text(json.dumps(rounded, indent=2) + "\n")


async def surroundings(api: Api) -> dict[str, Any]:
    """The machines of the cluster and the versions of what ran."""
    version = await api.json("/version")
    nodes = (await api.json("/api/v1/nodes"))["items"]
    return {
        "machine": [
            {
                "cpu": node["status"]["capacity"]["cpu"],
                "memory": node["status"]["capacity"]["memory"],
                "kernel": node["status"]["nodeInfo"]["kernelVersion"],
                "os": node["status"]["nodeInfo"]["osImage"],
                "runtime": node["status"]["nodeInfo"]["containerRuntimeVersion"],
            }
            for node in nodes
        ],
        "versions": {"kubernetes": version["gitVersion"], "python": platform.python_version()},
    }
