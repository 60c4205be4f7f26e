import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from prewarm_operator import metrics

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
SUFFIX = {"counter": "_total"}


def declared() -> dict[str, MetricWrapperBase]:
    """Every metric of the operator by the name that it is scraped under."""
    wrappers = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    families = {wrapper: next(iter(wrapper.collect())) for wrapper in wrappers}
    return {f"{family.name}{SUFFIX.get(family.type, '')}": wrapper for wrapper, family in families.items()}


def rows() -> dict[str, list[str]]:
    """The lines of the page's table by metric: type, labels, meaning."""
    lines = [line.strip("| ").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    stripped = [[cell.strip() for cell in cells] for cells in lines]
    return {cells[0].strip("`"): cells[1:] for cells in stripped}


def test_the_page_tells_every_metric_and_no_other() -> None:
    assert len(declared()) > 10
    assert set(rows()) == set(declared())


def test_the_page_tells_the_type_and_the_labels() -> None:
    for name, metric in declared().items():
        kind, labels, _ = rows()[name]
        assert kind == next(iter(metric.collect())).type, name
        assert set(re.findall(r"`(\w+)`:", labels)) == set(metric._labelnames), name


def test_no_metric_carries_the_name_of_an_object() -> None:
    labels = {label for metric in declared().values() for label in metric._labelnames}
    assert labels.isdisjoint({"namespace", "name", "agent", "pod", "uid"})


def test_durations_and_times_are_in_seconds() -> None:
    for name, metric in declared().items():
        assert next(iter(metric.collect())).type != "histogram" or name.endswith("_seconds")
