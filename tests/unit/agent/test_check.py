"""The check of a component tree, and what it must not do."""

import contextlib
import copy
import importlib
from typing import Any

import pytest
from component.agent.specs import assistant, model_client, team
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm_agent.spec.allowlist import kind_of
from prewarm_agent.spec.check import check, check_spec, examine_spec
from prewarm_agent.spec.document import parse
from prewarm_agent.spec.findings import PermanentError, Reason
from prewarm_agent.spec.names import of_models
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


def parts(tree: Any) -> list[Any]:
    """Every object and list in a tree."""
    stack, found = [tree], []
    while stack:
        here = stack.pop()
        if isinstance(here, dict | list):
            found.append(here)
            stack.extend(here.values() if isinstance(here, dict) else here)
    return found


def everything() -> dict[str, Any]:
    """A team with every kind of part that the check looks into."""
    stdio = {"type": "StdioServerParams", "command": "uvx", "args": ["x"]}
    workbench = {"provider": "autogen_ext.tools.mcp.McpWorkbench", "config": {"server_params": stdio}}
    function: dict[str, Any] = dict.fromkeys(("name", "source_code", "description"), "x")
    function |= {"global_imports": [], "has_cancellation_support": False}
    tool = {"provider": "autogen_core.tools.FunctionTool", "config": function}
    conditions = [
        {"provider": "autogen_agentchat.conditions.MaxMessageTermination", "config": {"max_messages": 5}},
        {"provider": "autogen_agentchat.conditions.TextMentionTermination", "config": {"text": "END"}},
        {"provider": "autogen_agentchat.conditions.SourceMatchTermination", "config": {"sources": ["writer"]}},
        {"provider": "autogen_agentchat.conditions.HandoffTermination", "config": {"target": "critic"}},
    ]
    component = team(URL)
    writer, critic = component["config"]["participants"]
    writer["config"].update(workbench=[workbench], metadata={"provider": "x"})
    writer["component_version"] = 1
    critic["config"]["tools"] = [tool]
    critic["config"]["name"] = "Jürgen"
    component["config"]["termination_condition"] = {
        "provider": "autogen_agentchat.base.OrTerminationCondition",
        "config": {"conditions": conditions},
    }
    return component


def test_the_team_with_everything_is_served() -> None:
    assert check(everything(), allow_code=True).component != everything()


JSON = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([]), st.just({}), st.just([{}]))


@settings(deadline=None)  # the first example imports the classes that are named
@given(st.data())
def test_whatever_stands_anywhere_is_checked_or_refused_in_words(data: st.DataObject) -> None:
    component = everything()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([part for part in parts(component) if part]))
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place[key] = copy.deepcopy(data.draw(JSON))  # else a part could come to hold itself
    with contextlib.suppress(PermanentError):
        check(component, allow_code=data.draw(st.booleans()))


def test_a_word_that_only_looks_like_a_provider_in_a_schema_is_none() -> None:
    schema = {"type": "object", "properties": {"provider": {"type": "string"}}}
    assert list(components(schema, "x")) == []


def test_a_tree_deeper_than_python_recurses_is_walked() -> None:
    tree: Any = {"provider": "os.system", "config": {}}
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


@pytest.mark.parametrize("name", ["two words", "order-desk", "1st", ""])
def test_a_name_that_autogen_refuses_is_found_before_it_is_built(name: str) -> None:
    assert findings(assistant(URL, name=name)) == [("InvalidConfig", "agent.component.config.name")]


def test_members_of_one_name_are_found() -> None:
    component = team(URL)
    component["config"]["participants"][1]["config"]["name"] = "writer"
    assert findings(component) == [("InvalidConfig", "agent.component.config.participants[1].config.name")]


def with_models(*models: dict[str, Any], agent: dict[str, Any] | None = None) -> dict[str, Any]:
    declared = [{"name": f"m{number}", "component": model} for number, model in enumerate(models)]
    return {"name": "support", "agent": {"component": agent or assistant(URL)}, "models": declared}


def findings_of_spec(spec: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(PermanentError) as raised:
        check_spec(parse(spec))
    return [(finding.reason.value, finding.path) for finding in raised.value.findings]


def named(name: str) -> dict[str, Any]:
    return {"provider": "prewarm.NamedModel", "config": {"name": name}}


def azure(token_provider: str, endpoint: str = "https://mine.openai.azure.com", **config: Any) -> dict[str, Any]:
    token = {"provider": token_provider, "config": config}
    settings = {"model": "gpt-4o", "azure_endpoint": endpoint, "api_version": "2024-06-01"}
    return {
        "provider": "azure_openai_chat_completion_client",
        "config": {**settings, "azure_ad_token_provider": token},
    }


def test_models_are_checked_as_the_agent_is_and_all_is_told_at_once() -> None:
    model = azure("os.system", "https://<endpoint>")
    spec = with_models(model, assistant(URL), named("m0"), agent=assistant(URL, descripton="x"))
    assert findings_of_spec(spec) == [
        ("UnknownKey", "agent.component.config.descripton"),
        ("ProviderNotAllowed", "models[0].component.config.azure_ad_token_provider.provider"),
        ("PlaceholderLeft", "models[0].component.config.azure_endpoint"),
        ("InvalidConfig", "models[1].component.provider"),
        ("InvalidConfig", "models[2].component.provider"),
    ]


def test_a_model_that_the_spec_does_not_declare_is_found_unless_a_pool_may_have_it() -> None:
    agent = assistant(URL, model_client=named("m1"))
    (finding,) = of_models(parse(with_models(model_client(URL), agent=agent)))
    assert finding.path == "agent.component.config.model_client.config.name"
    assert list(of_models(parse(with_models(model_client(URL), model_client(URL), agent=agent)))) == []
    assert list(of_models(parse(with_models(agent=agent)))) == []


SCOPES = ["https://cognitiveservices.azure.com/.default"]
AZURE_TOKENS = "autogen_ext.auth.azure.AzureTokenProvider"


def test_azure_may_be_asked_for_tokens() -> None:
    model = azure(AZURE_TOKENS, provider_kind="DefaultAzureCredential", scopes=SCOPES)
    assert check_spec(parse(with_models(model, agent=assistant(URL, model_client=model)))) == ()


@pytest.mark.parametrize("provider", ["os.system", "autogen_ext.auth.azure.Other", "azure.identity.DefaultCredential"])
def test_azure_is_not_asked_for_tokens_by_a_class_that_is_not_on_the_list(provider: str) -> None:
    model = azure(provider, provider_kind="DefaultAzureCredential", scopes=SCOPES)
    place = "config.azure_ad_token_provider.provider"
    assert findings_of_spec(with_models(model)) == [("ProviderNotAllowed", f"models[0].component.{place}")]
    assert findings(assistant(URL, model_client=model)) == [
        ("ProviderNotAllowed", f"agent.component.config.model_client.{place}")
    ]


def handed_to_a_factory(config: dict[str, Any], *models: dict[str, Any]) -> dict[str, Any]:
    return with_models(*models) | {"agent": {"entrypoint": "orders:build", "config": config}}


def test_models_in_the_config_of_a_factory_are_told_of_and_left_as_they_are() -> None:
    wrong = model_client("https://<host>/v1", modell="x", api_key="sk-1")
    config = {"models": [wrong, named("m0"), {"provider": "stripe", "config": {"x": 1}}], "token": {"provider": "aws"}}
    spec = parse(handed_to_a_factory(copy.deepcopy(config), model_client(URL)))
    assert {(str(finding.reason), finding.path, finding.warning) for finding in examine_spec(spec)} == {
        ("UnknownKey", "agent.config.models[0].config.modell", True),
        ("PlaceholderLeft", "agent.config.models[0].config.base_url", True),
        ("InvalidConfig", "agent.config.models[0].config.api_key", True),
    }
    assert spec.agent.config == config


def test_a_model_in_the_config_of_a_factory_that_the_spec_does_not_declare_is_a_warning() -> None:
    (finding,) = of_models(parse(handed_to_a_factory({"model": named("m1")}, model_client(URL))))
    assert (finding.path, finding.warning) == ("agent.config.model.config.name", True)
    assert list(of_models(parse(handed_to_a_factory({"model": named("m1")})))) == []
