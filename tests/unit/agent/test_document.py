"""The agent spec around the component."""

import json
from pathlib import Path
from typing import Any

import pytest
from component.agent.specs import assistant

from prewarm_agent.spec import document
from prewarm_agent.spec.check import examine_spec
from prewarm_agent.spec.document import AgentSpec
from prewarm_agent.spec.findings import PermanentError
from prewarm_agent.spec.validation import validate

URL = "http://model/v1"
MINIMAL: dict[str, Any] = {"name": "support", "agent": {"entrypoint": "support:agent"}}


def test_the_defaults_are_those_of_the_contract() -> None:
    spec, findings = validate(AgentSpec, MINIMAL, "")
    assert findings == []
    assert spec is not None
    assert (spec.warmup.mode, spec.warmup.timeout_seconds, spec.concurrency_limit) == ("connect", 120, 100)
    assert (spec.drain.delay_seconds, spec.drain.timeout_seconds) == (5, 60)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"name": ""}, ("InvalidConfig", "name")),
        ({"agent": {}}, ("InvalidConfig", "agent")),
        ({"agent": {"entrypoint": "a:b", "component": {}}}, ("InvalidConfig", "agent")),
        ({"agent": {"entrypoint": "a.py"}}, ("InvalidConfig", "agent.entrypoint")),
        ({"agent": {"entrypoints": "a:b", "entrypoint": "a:b"}}, ("UnknownKey", "agent.entrypoints")),
        ({"concurrencyLimit": 0}, ("InvalidConfig", "concurrencyLimit")),
        ({"concurrency_limit": 10}, ("UnknownKey", "concurrency_limit")),
        ({"warmup": {"timeoutSeconds": "soon"}}, ("InvalidConfig", "warmup.timeoutSeconds")),
        ({"warmup": {"timeout_seconds": 1}}, ("UnknownKey", "warmup.timeout_seconds")),
        ({"drain": {"delaySeconds": -1}}, ("InvalidConfig", "drain.delaySeconds")),
        ({"drain": {"timeoutSeconds": float("inf")}}, ("InvalidConfig", "drain.timeoutSeconds")),
    ],
)
def test_a_fault_is_found_where_it_is(change: dict[str, Any], finding: tuple[str, str]) -> None:
    _, findings = validate(AgentSpec, MINIMAL | change, "")
    assert [(found.reason.value, found.path) for found in findings] == [finding]


def test_a_file_that_is_a_bare_component_or_an_envelope_is_served_under_its_own_name() -> None:
    for value in (assistant(URL, name="Order_Desk"), {"component": assistant(URL, name="Order_Desk"), "user_id": "a"}):
        spec = document.parse(json.loads(json.dumps(value)))
        assert (spec.name, spec.agent.component) == ("order-desk", assistant(URL, name="Order_Desk"))


def test_a_file_of_another_kind_is_refused_by_its_name() -> None:
    with pytest.raises(PermanentError, match="gallery"):
        document.parse({"items": []})
    with pytest.raises(PermanentError, match="neither an agent spec"):
        document.parse({"name": "x"})


def test_the_settings_of_a_factory_need_one() -> None:
    spec = document.parse({"name": "a", "agent": {"entrypoint": "m:f", "config": {"model": "fast"}}})
    assert spec.agent.config == {"model": "fast"}
    with pytest.raises(PermanentError, match="set entrypoint, or remove config"):
        document.parse({"name": "a", "agent": {"component": assistant(URL), "config": {}}})


def nested(teams: int) -> dict[str, Any]:
    component = assistant(URL)
    for number in range(teams):
        config = {"name": f"team_{number}", "participants": [component], "max_turns": 1}
        component = {"provider": "autogen_agentchat.teams.RoundRobinGroupChat", "config": config}
    return component


def test_what_is_nested_too_deep_for_those_who_read_it_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text(json.dumps(nested(60)))
    spec = document.read(file)
    assert not any(not finding.warning for finding in examine_spec(spec))
    file.write_text(json.dumps(nested(120)))
    with pytest.raises(PermanentError, match="is nested deeper than 200 levels"):
        document.read(file)
