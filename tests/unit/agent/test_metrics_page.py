"""The reference tells every metric of an agent, as it is scraped."""

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from prewarm_agent import metrics

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "agent-metrics.md"
SUFFIX = {"counter": "_total"}


def declared() -> dict[str, MetricWrapperBase]:
    """Every metric by the name that it is scraped under."""
    wrappers = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    families = {wrapper: next(iter(wrapper.collect())) for wrapper in wrappers}
    return {f"{family.name}{SUFFIX.get(family.type, '')}": wrapper for wrapper, family in families.items()}


def rows() -> dict[str, list[str]]:
    lines = [line.strip("| ").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `prewarm_")]
    stripped = [[cell.strip() for cell in cells] for cells in lines]
    return {cells[0].strip("`"): cells[1:] for cells in stripped}


def test_the_page_tells_every_metric_and_no_other() -> None:
    assert len(declared()) > 15
    assert set(rows()) == set(declared())


def test_the_page_tells_the_type_and_the_labels() -> None:
    for name, metric in declared().items():
        kind, labels, _ = rows()[name]
        assert kind == next(iter(metric.collect())).type, name
        assert set(metric._labelnames) <= set(re.findall(r"`(\w+)`", labels)), name


def test_no_label_can_grow_without_bound() -> None:
    labels = {label for metric in declared().values() for label in metric._labelnames}
    assert labels.isdisjoint({"user", "session", "request_id", "path", "agent", "text"})
