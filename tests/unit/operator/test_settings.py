import re
from pathlib import Path

import pytest

from prewarm_operator.render.headroom import Placeholders
from prewarm_operator.settings import LeaseTimes, Settings, SettingsError, from_environment
from prewarm_operator.signals.server import Server
from prewarm_operator.world.places import HeadroomMode, NodeHeadroom


@pytest.mark.parametrize("times", [(10, 10.0, 2.0), (15, 10.0, 10.0), (15, 10.0, 0.0)])
def test_lease_times_that_would_allow_two_leaders_are_refused(times: tuple[int, float, float]) -> None:
    with pytest.raises(SettingsError, match="--lease-seconds must be longer than --renew-deadline-seconds"):
        LeaseTimes(*times)


def test_without_an_agent_image_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREWARM_AGENT_IMAGE", raising=False)
    with pytest.raises(SettingsError, match="PREWARM_AGENT_IMAGE is not set: give it the agent image"):
        from_environment(LeaseTimes(), resync_seconds=300.0)


@pytest.mark.parametrize(
    ("value", "namespaces"), [("", ()), ("team-a", ("team-a",)), (" team-a, team-b,,team-a", ("team-a", "team-b"))]
)
def test_namespaces_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, namespaces: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PREWARM_AGENT_IMAGE", "example.com/agent:1")
    monkeypatch.setenv("PREWARM_WATCH_NAMESPACES", value)
    assert from_environment(LeaseTimes(), resync_seconds=300.0).watch_namespaces == namespaces


def test_without_an_address_there_is_no_prometheus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREWARM_AGENT_IMAGE", "example.com/agent:1")
    assert from_environment(LeaseTimes(), resync_seconds=300.0).prometheus is None


def test_prometheus_is_reached_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREWARM_AGENT_IMAGE", "example.com/agent:1")
    monkeypatch.setenv("PREWARM_PROMETHEUS_URL", "https://prometheus/api/prom/")
    monkeypatch.setenv("PREWARM_PROMETHEUS_HEADERS", '{"X-Scope-OrgID": "team"}')
    for name in ("TOKEN", "USERNAME", "PASSWORD", "CA", "CERTIFICATE", "KEY"):
        monkeypatch.setenv(f"PREWARM_PROMETHEUS_{name}_FILE", f"/secrets/{name}")
    assert from_environment(LeaseTimes(), resync_seconds=300.0).prometheus == Server(
        "https://prometheus/api/prom/",
        *(Path(f"/secrets/{name}") for name in ("TOKEN", "USERNAME", "PASSWORD", "CA", "CERTIFICATE", "KEY")),
        headers={"X-Scope-OrgID": "team"},
    )


@pytest.mark.parametrize(
    ("url", "headers", "problem"),
    [
        ("prometheus:9090", "", "PREWARM_PROMETHEUS_URL is 'prometheus:9090': let it begin with http"),
        ("http://[::1", "", "PREWARM_PROMETHEUS_URL is 'http://[::1': let it begin with http:// or https:// and go on"),
        ("http://", "", "PREWARM_PROMETHEUS_URL is 'http://': let it begin with http:// or https:// and go on"),
        ("http://prometheus", "[]", "PREWARM_PROMETHEUS_HEADERS must be a JSON object"),
        ("http://prometheus", "x: y", "PREWARM_PROMETHEUS_HEADERS must be a JSON object"),
    ],
)
def test_what_is_wrong_about_prometheus_is_named(
    monkeypatch: pytest.MonkeyPatch, url: str, headers: str, problem: str
) -> None:
    monkeypatch.setenv("PREWARM_AGENT_IMAGE", "example.com/agent:1")
    monkeypatch.setenv("PREWARM_PROMETHEUS_URL", url)
    monkeypatch.setenv("PREWARM_PROMETHEUS_HEADERS", headers)
    with pytest.raises(SettingsError, match=re.escape(problem)):
        from_environment(LeaseTimes(), resync_seconds=300.0)


def headroom(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    monkeypatch.setenv("PREWARM_AGENT_IMAGE", "example.com/agent:1")
    for name, value in variables.items():
        monkeypatch.setenv(f"PREWARM_{name}", value)
    return from_environment(LeaseTimes(), resync_seconds=300.0)


def test_node_headroom_is_off_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert headroom(monkeypatch).node_headroom == NodeHeadroom()
    made_of = {"PLACEHOLDER_IMAGE": "example.com/pause:1", "PLACEHOLDER_PRIORITY_CLASS": "low"}
    found = headroom(monkeypatch, NODE_HEADROOM="Auto", **made_of).node_headroom
    assert found == NodeHeadroom(HeadroomMode.AUTO, Placeholders("example.com/pause:1", "low"))


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"NODE_HEADROOM": "Off"}, "must be one of Disabled, Auto, CapacityBuffer, Placeholder"),
        ({"NODE_HEADROOM": "Placeholder"}, "set PREWARM_PLACEHOLDER_IMAGE and PREWARM_PLACEHOLDER_PRIORITY_CLASS"),
    ],
)
def test_a_headroom_that_could_not_be_kept_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        headroom(monkeypatch, **variables)
