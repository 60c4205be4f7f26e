"""The alerts of the chart, as Prometheus's own tool understands and runs them."""

import re
import shutil
import subprocess
from pathlib import Path

import prometheus_client
import pytest
import yaml
from helmcli import only, render

import prewarm_agent.metrics  # noqa: F401 - registers its metrics
import prewarm_operator.metrics  # noqa: F401 - registers its metrics
from devcluster.settings import Cache

ALERTS_TEST = Path(__file__).parent / "alerts_test.yaml"
METRIC = re.compile(r"\b(?:prewarm_\w+|process_\w+)\b")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules of a release as a file that Prometheus loads."""
    file = tmp_path / "rules.yaml"
    rule = only(render({"prometheusRule": {"enabled": True}}), "PrometheusRule")
    file.write_text(yaml.safe_dump(rule["spec"]))
    return file


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Cache.from_environment().programs / "promtool"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_prometheus_accepts_the_rules(rules: Path) -> None:
    done = promtool("check", "rules", "--lint-fatal", rules)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_not_otherwise(rules: Path) -> None:
    shutil.copy(ALERTS_TEST, rules.parent)
    done = promtool("test", "rules", rules.parent / ALERTS_TEST.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried(rules: Path) -> None:
    alerts = {rule["alert"] for group in yaml.safe_load(rules.read_text())["groups"] for rule in group["rules"]}
    tried = {
        (entry["alertname"], bool(entry["exp_alerts"]))
        for test in yaml.safe_load(ALERTS_TEST.read_text())["tests"]
        for entry in test["alert_rule_test"]
    }
    assert tried == {(alert, fires) for alert in alerts for fires in (True, False)}


def test_the_rules_ask_for_metrics_that_exist(rules: Path) -> None:
    expressions = [rule["expr"] for group in yaml.safe_load(rules.read_text())["groups"] for rule in group["rules"]]
    asked = {name for expression in expressions for name in METRIC.findall(expression)}
    exist = {family.name for family in prometheus_client.REGISTRY.collect()}
    assert {name.removesuffix("_total") for name in asked} - exist == set()
