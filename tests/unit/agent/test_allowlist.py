"""What may be named in a spec."""

import importlib

import pytest
from autogen_core import is_component_class
from autogen_core._component_config import WELL_KNOWN_PROVIDERS

from prewarm_agent.spec.allowlist import NAMED_MODEL, PROVIDERS, Kind, canonical, kind_of


@pytest.mark.parametrize("provider", [provider for provider in PROVIDERS if provider != NAMED_MODEL])
def test_every_provider_is_a_component_of_the_locked_autogen(provider: str) -> None:
    module, _, name = provider.rpartition(".")
    component_class = getattr(importlib.import_module(module), name)
    assert is_component_class(component_class)
    assert hasattr(component_class, "component_config_schema")


@pytest.mark.parametrize(
    "provider",
    [
        "autogen_core.code_executor.ImportFromModule",
        "autogen_ext.code_executors.local.LocalCommandLineCodeExecutor",
        "autogen_agentchat.agents.CodeExecutorAgent",
        "autogen_agentchat.agents.UserProxyAgent",
        "autogen_ext.tools.mcp.StdioMcpToolAdapter",
        "autogen_core.model_context.TokenLimitedChatCompletionContext",
        "autogen_agentchat.agents.AssistantAgent.__init__",
        "autogen_agentchat.agents",
        " autogen_agentchat.agents.AssistantAgent",
        "prewarm_agent.framework.shared_reference.SharedReference",
        "",
    ],
)
def test_what_runs_code_or_waits_or_only_resembles_an_entry_is_not_on_the_list(provider: str) -> None:
    assert kind_of(provider) is None


def test_autogens_short_names_stand_for_the_classes() -> None:
    assert {name: canonical(name) for name in WELL_KNOWN_PROVIDERS} == WELL_KNOWN_PROVIDERS
    assert {kind_of(name) for name in WELL_KNOWN_PROVIDERS} == {Kind.MODEL}
