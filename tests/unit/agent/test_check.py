"""The check of a component tree, and what it must not do."""

import importlib
from typing import Any

import pytest
from component.agent.specs import assistant, model_client, team
from hypothesis import given
from hypothesis import strategies as st

from prewarm_agent.spec.allowlist import kind_of
from prewarm_agent.spec.check import check
from prewarm_agent.spec.findings import PermanentError, Reason
from prewarm_agent.spec.walk import components

URL = "http://model/v1"
PROVIDERS = st.text(min_size=1).filter(lambda text: kind_of(text) is None)
BAD_COMPONENTS = st.fixed_dictionaries({"provider": PROVIDERS, "config": st.just({})})
PLACES = st.lists(st.sampled_from(["tools", "x", "provider", 0]), min_size=1, max_size=8)


@given(BAD_COMPONENTS, PLACES)
def test_nothing_is_imported_before_every_provider_is_allowed(bad: dict[str, Any], place: list[str | int]) -> None:
    tree: Any = bad
    for step in place:
        tree = [tree] if step == 0 else {step: tree}
    component = assistant(URL)
    component["config"]["metadata"] = tree
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib, "import_module", lambda name: pytest.fail(f"{name} was imported"))
        with pytest.raises(PermanentError) as raised:
            check(component)
    assert raised.value.reason is Reason.PROVIDER_NOT_ALLOWED
    assert raised.value.path.startswith("agent.component.config.metadata")
    assert len(raised.value.findings) == 1


def test_a_word_that_only_looks_like_a_provider_in_a_schema_is_none() -> None:
    schema = {"type": "object", "properties": {"provider": {"type": "string"}}}
    assert list(components(schema, "x")) == []


def test_a_tree_deeper_than_python_recurses_is_walked() -> None:
    tree: Any = {"provider": "os.system"}
    for _ in range(5000):
        tree = {"a": tree}
    assert [component.provider for component in components(tree, "x")] == ["os.system"]


def test_components_come_parents_first_and_in_the_order_of_the_document() -> None:
    paths = [component.path for component in components(team(URL), "agent.component")]
    assert paths == [
        "agent.component",
        "agent.component.config.participants[0]",
        "agent.component.config.participants[0].config.model_client",
        "agent.component.config.participants[1]",
        "agent.component.config.participants[1].config.model_client",
        "agent.component.config.termination_condition",
    ]


def findings(component: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(PermanentError) as raised:
        check(component)
    return [(finding.reason.value, finding.path) for finding in raised.value.findings]


def test_a_key_that_autogen_would_drop_is_found_at_every_depth() -> None:
    component = assistant(URL, handoffs=[{"target": "other", "descripton": "x"}])
    component["lable"] = "x"
    model = component["config"]["model_client"]
    known = dict.fromkeys(("vision", "function_calling", "json_output", "structured_output"), False)
    model["config"]["model_info"] = {**known, "family": "unknown", "streaming": True}
    model["lable"] = "x"
    assert findings(component) == [
        ("UnknownKey", "agent.component.lable"),
        ("UnknownKey", "agent.component.config.model_client.lable"),
        ("UnknownKey", "agent.component.config.handoffs[0].descripton"),
        ("UnknownKey", "agent.component.config.model_client.config.model_info.streaming"),
    ]


@pytest.mark.parametrize(
    ("component", "finding"),
    [
        ({"config": {}}, ("InvalidConfig", "agent.component.provider")),
        ({"provider": 1, "config": {}}, ("InvalidConfig", "agent.component.provider")),
        (model_client(URL), ("InvalidConfig", "agent.component.provider")),
        ({"provider": "os.system", "config": {}}, ("ProviderNotAllowed", "agent.component.provider")),
        ({"provider": assistant(URL)["provider"]}, ("InvalidConfig", "agent.component.config")),
        (assistant(URL) | {"config": []}, ("InvalidConfig", "agent.component.config")),
        (assistant(URL) | {"component_version": 3}, ("InvalidConfig", "agent.component.component_version")),
        (assistant(URL, max_tool_iterations=0), ("InvalidConfig", "agent.component.config.max_tool_iterations")),
        (assistant(URL, handoffs=[{"target": 3}]), ("InvalidConfig", "agent.component.config.handoffs[0].target")),
    ],
)
def test_a_fault_is_found_where_it_is(component: dict[str, Any], finding: tuple[str, str]) -> None:
    assert finding in findings(component)


def test_unknown_and_missing_keys_of_one_configuration_are_found_together() -> None:
    component = assistant(URL, descripton="x")
    del component["config"]["description"]
    assert findings(component) == [
        ("UnknownKey", "agent.component.config.descripton"),
        ("InvalidConfig", "agent.component.config.description"),
    ]
