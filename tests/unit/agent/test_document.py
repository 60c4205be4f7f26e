"""The agent spec around the component."""

from typing import Any

import pytest

from prewarm_agent.spec.document import AgentSpec
from prewarm_agent.spec.validation import validate

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
