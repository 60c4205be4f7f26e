"""A page of the reference that tells metrics, beside the metrics that a module declares."""

from pathlib import Path
from types import ModuleType

from prometheus_client.metrics import MetricWrapperBase

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
SUFFIX = {"counter": "_total"}


def declared(module: ModuleType) -> dict[str, MetricWrapperBase]:
    """Every metric of a module by the name that it is scraped under."""
    wrappers = [value for value in vars(module).values() if isinstance(value, MetricWrapperBase)]
    families = {wrapper: next(iter(wrapper.collect())) for wrapper in wrappers}
    return {f"{family.name}{SUFFIX.get(family.type, '')}": wrapper for wrapper, family in families.items()}


def rows(page: str) -> dict[str, list[str]]:
    """The lines of a page's table by metric: type, labels, meaning."""
    lines = (REFERENCE / page).read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("| `")]
    return {name.strip("`"): rest for name, *rest in cells}
