"""Specs as people have them: exports of several years, half filled in, or of another kind."""

import copy
from typing import Any

import pytest
from component.agent.specs import assistant, model_client, team

from prewarm_agent.spec.check import Checked, check
from prewarm_agent.spec.findings import PermanentError, Reason

URL = "http://model/v1"
Object = dict[str, Any]


def refused(component: Object, **options: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(PermanentError) as raised:
        check(component, **options)
    return [(finding.reason, finding.path, finding.text) for finding in raised.value.findings]


def warned(component: Object, **options: Any) -> dict[str, str]:
    return {finding.path: finding.text for finding in check(component, **options).warnings}


def export_of_version_1() -> Object:
    """An assistant as AutoGen Studio exported it before the workbench became a list."""
    workbench = {
        "provider": "autogen_core.tools.StaticWorkbench",
        "component_type": "workbench",
        "config": {"tools": []},
    }
    old = assistant(URL, workbench=workbench)
    old["component_version"] = 1
    for key in ("description", "reflect_on_tool_use", "tool_call_summary_format"):
        old["config"].pop(key)
    old["config"]["model_client"]["config"]["model_info"] = {
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "family": "unknown",
    }
    return old


def test_an_export_of_version_1_is_read_as_the_present_one_and_every_change_is_told() -> None:
    checked: Checked = check(export_of_version_1())
    assert checked.component["component_version"] == 2
    assert isinstance(checked.component["config"]["workbench"], list)
    assert checked.component["config"]["model_client"]["config"]["model_info"]["structured_output"] is False
    told = {finding.path.removeprefix("agent.component.") for finding in checked.warnings}
    assert told == {
        "component_version",
        "config.workbench",
        "config.description",
        "config.reflect_on_tool_use",
        "config.tool_call_summary_format",
        "config.model_client.config.model_info.structured_output",
    }


def test_what_was_handed_in_is_not_changed() -> None:
    old = export_of_version_1()
    before = copy.deepcopy(old)
    check(old)
    assert old == before


@pytest.mark.parametrize("version", [None, "absent"])
def test_a_version_that_is_missing_means_the_present_one(version: Any) -> None:
    component = team(URL)
    first = component["config"]["participants"][0]
    first.pop("component_version")
    if version is None:
        first["component_version"] = None
    assert warned(component) == {}


def test_version_0_is_read_and_a_later_one_than_the_present_is_refused() -> None:
    component = assistant(URL)
    component["config"]["model_client"]["component_version"] = 0
    assert list(warned(component)) == ["agent.component.config.model_client.component_version"]
    component["config"]["model_client"]["component_version"] = 2
    ((reason, path, _),) = refused(component)
    assert (reason, path) == (Reason.INVALID_CONFIG, "agent.component.config.model_client.component_version")


def test_all_kinds_of_findings_are_told_at_once() -> None:
    component = team(URL)
    members = component["config"]["participants"]
    members.append({"provider": "autogen_agentchat.agents.UserProxyAgent", "config": {"name": "user"}})
    members.append({"provider": "my_package.Surfer", "config": {}})
    members[0]["config"]["model_client"]["config"]["base_url"] = "https://<endpoint>/v1"
    members[1]["component_version"] = 9
    assert {(reason, path.removeprefix("agent.component.config.")) for reason, path, _ in refused(component)} == {
        (Reason.PROVIDER_NOT_ALLOWED, "participants[3].provider"),
        (Reason.NOT_SERVABLE, "participants[2].provider"),
        (Reason.PLACEHOLDER, "participants[0].config.model_client.config.base_url"),
        (Reason.INVALID_CONFIG, "participants[1].component_version"),
    }


@pytest.mark.parametrize(
    ("provider", "config", "instead"),
    [
        ("autogen_core.model_context.TokenLimitedChatCompletionContext", {}, "use BufferedChatCompletionContext"),
        ("autogen_ext.agents.web_surfer.MultimodalWebSurfer", {"name": "surfer"}, "use an MCP server that browses"),
        ("autogen_agentchat.agents.UserProxyAgent", {"name": "user"}, "with the state of POST /invocations"),
    ],
)
def test_what_cannot_be_served_says_what_to_use(provider: str, config: Object, instead: str) -> None:
    component = team(URL)
    if "model_context" in provider:
        component["config"]["participants"][0]["config"]["model_context"] = {"provider": provider, "config": config}
    else:
        component["config"]["participants"].append({"provider": provider, "config": config})
    ((reason, path, text),) = refused(component)
    assert (reason, path.rpartition(".")[2]) == (Reason.NOT_SERVABLE, "provider")
    assert instead in text


def test_unknown_providers_are_named_in_one_sentence() -> None:
    component = team(URL)
    for number, member in enumerate(component["config"]["participants"]):
        member["provider"] = f"their_package.Agent{number}"
    ((reason, _, text),) = refused(component)
    assert reason == Reason.PROVIDER_NOT_ALLOWED
    assert text.startswith("'their_package.Agent0', 'their_package.Agent1' are not on the allow-list; use one of ")


def test_a_hand_over_to_a_person_is_refused_and_one_to_a_member_is_not() -> None:
    def ending(target: str) -> Object:
        component = team(URL)
        provider = "autogen_agentchat.conditions.HandoffTermination"
        component["config"]["termination_condition"] = {"provider": provider, "config": {"target": target}}
        return component

    assert warned(ending("writer")) == {}
    ((reason, path, _),) = refused(ending("user"))
    assert (reason, path.rpartition(".")[2]) == (Reason.NOT_SERVABLE, "target")


def test_a_name_beyond_ascii_is_served_under_another_one_wherever_it_stands() -> None:
    component = team(URL)
    component["config"]["participants"][0]["config"]["name"] = "Jürgen"
    component["config"]["termination_condition"] = {
        "provider": "autogen_agentchat.conditions.SourceMatchTermination",
        "config": {"sources": ["Jürgen"]},
    }
    checked = check(component)
    name = checked.component["config"]["participants"][0]["config"]["name"]
    assert name.isascii()
    assert name.isidentifier()
    assert checked.component["config"]["termination_condition"]["config"]["sources"] == [name]
    assert ["Jürgen" in finding.text for finding in checked.warnings] == [True]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"max_messages": 1}, "no member ever speaks"),
        ({"max_messages": 2}, "not all of the 2 members come to speak"),
        ({"text": ""}, "every message mentions"),
        ({"text": '"DONE"'}, "leave the quotes out"),
    ],
)
def test_an_end_that_comes_too_early_or_never_is_told(condition: Object, words: str) -> None:
    name = "MaxMessageTermination" if "max_messages" in condition else "TextMentionTermination"
    component = team(URL)
    component["config"]["termination_condition"] = {
        "provider": f"autogen_agentchat.conditions.{name}",
        "config": condition,
    }
    (text,) = warned(component).values()
    assert words in text


def test_a_team_without_an_end_is_told() -> None:
    component = team(URL)
    component["config"].update(termination_condition=None, max_turns=None)
    ((path, text),) = warned(component).items()
    assert path == "agent.component.config"
    assert "until the request's deadline" in text


@pytest.mark.parametrize(
    ("sources", "words"), [(["editor"], "it never ends a run"), (["user"], "no member ever speaks"), (["critic"], None)]
)
def test_an_end_that_waits_for_the_wrong_speaker_is_told(sources: list[str], words: str | None) -> None:
    component = team(URL)
    end = {"provider": "autogen_agentchat.conditions.SourceMatchTermination", "config": {"sources": sources}}
    other = component["config"]["termination_condition"]
    component["config"]["termination_condition"] = {
        "provider": "autogen_agentchat.base.OrTerminationCondition",
        "config": {"conditions": [other, end]},
    }
    told = warned(component)
    assert [path.rpartition(".")[2] for path in told] == (["sources"] if words else [])
    assert all(words is not None and words in text for text in told.values())


@pytest.mark.parametrize(
    "value",
    [
        "https://<endpoint>.openai.azure.com",
        "https://{your-endpoint}/",
        "REPLACE_WITH_URL",
        "https://your-host/v1",
        "https://my-your_resource.example.com",
        "changeme",
    ],
)
def test_a_placeholder_in_an_address_is_found_before_the_first_request(value: str) -> None:
    component = assistant(URL)
    component["config"]["model_client"]["config"]["base_url"] = value
    ((reason, path, text),) = refused(component)
    assert (reason, path) == (Reason.PLACEHOLDER, "agent.component.config.model_client.config.base_url")
    assert value in text


@pytest.mark.parametrize("value", ["https://grow-your-brand.example.com/v1", "https://replacement.example.com"])
def test_a_name_that_only_resembles_a_placeholder_is_served(value: str) -> None:
    assert warned(assistant(value)) == {}


def test_a_placeholder_for_a_key_is_found_and_a_key_is_never_repeated() -> None:
    component = assistant(URL)
    component["config"]["model_client"]["config"]["api_key"] = "sk-..."
    ((reason, _, text),) = refused(component)
    assert reason == Reason.PLACEHOLDER
    assert "sk-" not in text
    component["config"]["model_client"]["config"]["api_key"] = "sk-real-key"
    ((path, text),) = warned(component).items()
    assert path.endswith("api_key")
    assert "sk-real-key" not in text


def test_braces_in_a_text_for_the_model_are_no_placeholder() -> None:
    component = assistant(URL)
    component["config"]["system_message"] = "Answer as {name} would, in <b>bold</b>..."
    assert warned(component) == {}


@pytest.mark.parametrize("address", ["http://localhost:11434/v1", "http://127.0.0.1/v1", "http://[::1]:8000"])
def test_an_address_that_is_the_pod_itself_is_told(address: str) -> None:
    component = assistant(URL)
    component["config"]["model_client"]["config"]["base_url"] = address
    (text,) = warned(component).values()
    assert "inside a pod the pod itself" in text


def test_an_azure_client_says_all_that_is_missing() -> None:
    component = assistant(URL)
    component["config"]["model_client"] = {
        "provider": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
        "config": {"model": "gpt-4o"},
    }
    missing = {path.rpartition(".")[2] for _, path, _ in refused(component)}
    assert missing == {"azure_endpoint", "api_version"}
    assert "AZURE_OPENAI_ENDPOINT" in refused(component)[0][2]


def test_what_the_environment_gives_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-06-01")
    azure = {"provider": "azure_openai_chat_completion_client", "config": {"model": "gpt-4o"}}
    assert warned(assistant(URL, model_client=azure)) == {}


def test_fields_of_one_vendor_in_the_client_of_another_are_told_with_the_right_ones() -> None:
    component = assistant(URL)
    component["config"]["model_client"] = {
        "provider": "autogen_ext.models.ollama.OllamaChatCompletionClient",
        "config": {"model": "llama3", "base_url": "http://ollama:11434"},
    }
    ((reason, _, text),) = refused(component)
    assert (reason, text) == (Reason.UNKNOWN_KEY, "OllamaChatCompletionClient has no field base_url; use host.")
    component["config"]["model_client"]["config"] = {"model": "llama3", "host": "http://ollama:11434", "api_key": "x"}
    assert "OllamaChatCompletionClient has no field api_key; use headers." in {text for *_, text in refused(component)}


def test_an_ollama_client_without_a_host_is_told_whom_it_would_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {"provider": "OllamaChatCompletionClient", "config": {"model": "llama3"}}
    ((path, text),) = warned(assistant(URL, model_client=model)).items()
    assert path == "agent.component.config.model_client.config.host"
    assert "127.0.0.1:11434" in text
    monkeypatch.setenv("OLLAMA_HOST", "http://ollama:11434")
    assert warned(assistant(URL, model_client=model)) == {}


CALCULATOR = {
    "provider": "autogen_core.tools.FunctionTool",
    "config": {
        "source_code": "def calculator(a: float, b: float) -> float:\n    return a + b\n",
        "name": "calculator",
        "description": "Adds.",
        "global_imports": [],
        "has_cancellation_support": False,
    },
}
MCP = "autogen_ext.tools.mcp.McpWorkbench"
STDIO = {"provider": MCP, "config": {"server_params": {"type": "StdioServerParams", "command": "uvx", "args": ["x"]}}}
HTTP = {"provider": MCP, "config": {"server_params": {"type": "StreamableHttpServerParams", "url": "http://tools/mcp"}}}


def tools(tool: Object) -> Object:
    return {"provider": "autogen_core.tools.StaticWorkbench", "config": {"tools": [tool]}}


def http_tool(path: str, schema: Object) -> Object:
    address = {"host": "api", "port": 80, "method": "GET", "scheme": "http", "headers": {}, "path": path}
    config = {"name": "t", "description": "Looks up.", **address, "json_schema": schema}
    return {"provider": "autogen_ext.tools.http.HttpTool", "config": config}


def test_code_in_the_spec_needs_permission_and_all_of_it_is_named() -> None:
    component = assistant(URL, workbench=[tools(CALCULATOR), STDIO])
    ((reason, _, text),) = refused(component)
    assert reason == Reason.CODE_NOT_ALLOWED
    assert "tool 'calculator'" in text
    assert "MCP server 'uvx'" in text
    assert "security.allowCode" in text
    assert warned(component, allow_code=True) == {}


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "file:///etc/passwd", "other.json"])
def test_a_schema_may_refer_to_nothing_outside_the_spec(target: str) -> None:
    schema = {"type": "object", "$defs": {}, "properties": {"a": {"type": "string", "default": {"$ref": target}}}}
    found = refused(assistant(URL, workbench=[tools(http_tool("/", schema))]))
    assert [(path.rpartition(".")[2], target in text) for _, path, text in found if path.endswith("$ref")] == [
        ("$ref", True)
    ]


def test_words_of_a_tool_keep_their_names_when_an_agent_is_renamed() -> None:
    schema = {"type": "object", "properties": {"città": {"type": "string"}}, "required": ["città"]}
    workbench = tools(http_tool("/{città}", schema))
    checked = check(assistant(URL, name="città", workbench=[workbench])).component["config"]
    assert checked["name"] != "città"
    assert checked["workbench"][0]["config"]["tools"][0]["config"]["json_schema"] == schema


def test_an_mcp_server_over_http_needs_no_permission() -> None:
    assert warned(assistant(URL, workbench=[HTTP])) == {}


@pytest.mark.parametrize("value", [{"provider": "azure", "owner": "x"}, {"team": {"provider": "azure", "since": 2}}])
def test_metadata_that_has_the_word_provider_is_no_component(value: Object) -> None:
    memory = {"content": "x", "mime_type": "text/plain", "metadata": value}
    component = {"provider": "autogen_core.memory.ListMemory", "config": {"memory_contents": [memory]}}
    assert warned(assistant(URL, memory=[component])) == {}


def test_metadata_that_could_be_loaded_is_a_component() -> None:
    disguised = {"provider": "os.system", "config": {}}
    assert refused(assistant(URL, metadata={"x": disguised}))[0][0] == Reason.PROVIDER_NOT_ALLOWED


def test_a_model_of_the_spec_or_the_pool_is_named() -> None:
    named = {"provider": "prewarm.NamedModel", "config": {"name": "fast"}}
    assert warned(assistant(URL, model_client=named)) == {}
    ((_, path, _),) = refused(assistant(URL, model_client={**named, "config": {}}))
    assert path == "agent.component.config.model_client.config.name"


OTHER_KINDS: dict[str, tuple[Object, str]] = {
    "a gallery": ({"name": "g", "items": [assistant(URL)]}, "gallery"),
    "a gallery of January 2025": ({"items": {"teams": [], "components": {}}}, "gallery"),
    "a gallery of another release": ({"components": {"teams": []}}, "gallery"),
    "a row of Studio's database": ({"id": 1, "config": {"components": {"teams": []}}}, "gallery"),
    "a team of 2024": ({"team_type": "RoundRobinGroupChat", "participants": []}, "2024"),
    "a model of 2024": ({"model": "gpt-4o", "model_type": "OpenAIChatCompletionClient"}, "2024"),
    "a workflow with agents of 0.2": ({"type": "autonomous", "summary_method": "last", "agents": []}, "0.2"),
    "a skill of 0.2": ({"name": "x", "content": "def x(): ...", "secrets": [], "libraries": []}, "0.2"),
    "a workflow of 0.2": ({"sender": {}, "receiver": {}, "type": "twoagents"}, "0.2"),
    "an agent of 0.2": ({"config": {}, "llm_config": {}}, "0.2"),
    "a manifest": ({"kind": "AgentDeployment", "spec": {}}, "AgentDeployment"),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_what_is_no_agent_is_refused_by_its_name(kind: str) -> None:
    value, name = OTHER_KINDS[kind]
    ((reason, _, text),) = refused(value)
    assert reason == Reason.NOT_SERVABLE
    assert name in text


@pytest.mark.parametrize("component", [model_client(URL), {"provider": "autogen_core.memory.ListMemory", "config": {}}])
def test_a_component_that_is_no_agent_says_what_it_is(component: Object) -> None:
    assert "which cannot be served; use one of autogen_agentchat.agents.AssistantAgent" in refused(component)[0][2]


def test_an_envelope_is_opened() -> None:
    checked = check({"component": assistant(URL), "user_id": "a@example.com"})
    assert checked.component["provider"].endswith("AssistantAgent")
