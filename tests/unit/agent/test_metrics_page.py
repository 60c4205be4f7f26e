"""The reference tells every metric of an agent, as it is scraped."""

import re

import metrics_page

from prewarm_agent import metrics

DECLARED = metrics_page.declared(metrics)
ROWS = metrics_page.rows("agent-metrics.md")


def test_the_page_tells_every_metric_and_no_other() -> None:
    assert len(DECLARED) > 15
    assert set(ROWS) == set(DECLARED)


def test_the_page_tells_the_type_and_the_labels() -> None:
    for name, metric in DECLARED.items():
        kind, labels, _ = ROWS[name]
        assert kind == next(iter(metric.collect())).type, name
        assert set(metric._labelnames) <= set(re.findall(r"`(\w+)`", labels)), name


def test_no_label_can_grow_without_bound() -> None:
    labels = {label for metric in DECLARED.values() for label in metric._labelnames}
    assert labels.isdisjoint({"user", "session", "request_id", "path", "agent", "text"})
