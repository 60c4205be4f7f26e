import re

import metrics_page

from prewarm_operator import metrics

DECLARED = metrics_page.declared(metrics)
ROWS = metrics_page.rows("metrics.md")


def test_the_page_tells_every_metric_and_no_other() -> None:
    assert len(DECLARED) > 10
    assert set(ROWS) == set(DECLARED)


def test_the_page_tells_the_type_and_the_labels() -> None:
    for name, metric in DECLARED.items():
        kind, labels, _ = ROWS[name]
        assert kind == next(iter(metric.collect())).type, name
        assert set(re.findall(r"`(\w+)`:", labels)) == set(metric._labelnames), name


def test_no_metric_carries_the_name_of_an_object() -> None:
    labels = {label for metric in DECLARED.values() for label in metric._labelnames}
    assert labels.isdisjoint({"namespace", "name", "agent", "pod", "uid"})


def test_durations_and_times_are_in_seconds() -> None:
    for name, metric in DECLARED.items():
        assert next(iter(metric.collect())).type != "histogram" or name.endswith("_seconds")
