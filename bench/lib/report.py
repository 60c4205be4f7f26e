"""What every benchmark leaves: a table for people, build/bench/NAME.json for programs."""

import json
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parents[2] / "build" / "bench"
PACKAGES = ("kopf", "kubernetes", "autogen-agentchat", "openai", "pydantic", "numpy", "statsforecast")

Figure = float | int


def write(name: str, figures: dict[str, Figure], meanings: dict[str, str]) -> None:
    """Print the figures with what they mean and write them, with versions and machine beside them.

    `meanings` has a sentence for each figure: a unit, and the bound where there is one.
    """
    table = Table("figure", "value", "meaning", title=f"bench/{name}.py")
    for key, value in figures.items():
        table.add_row(key, f"{value:.3f}" if isinstance(value, float) else str(value), meanings[key])
    Console().print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    result = {
        "figures": {key: round(value, 4) for key, value in figures.items()},
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": _machine(),
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def _versions() -> dict[str, str]:
    """Of the packages that this benchmark's environment has."""
    found = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _machine() -> dict[str, str | int]:
    text = Path("/proc/cpuinfo").read_text()
    models = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": len(models),
        "memory_mib": memory_kib // 1024,
        "kernel": platform.release(),
    }
