"""The component classes that a spec may name, exactly.

AutoGen's `load_component` imports whatever module a spec names, before it checks anything. So nothing reaches it that
is not in this table. What is known and left out on purpose stands in `refuse.py` with the reason; so does what is in
the table and still needs permission, because the spec brings code along (FunctionTool, MCP over stdio).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a component is; decides what is shared between requests (models) and what is built for each (the rest)."""

    AGENT = "agent"
    TEAM = "team"
    MODEL = "model"
    CONTEXT = "context"
    MEMORY = "memory"
    TERMINATION = "termination"
    TOOL = "tool"
    WORKBENCH = "workbench"
    MESSAGE_FORMAT = "message format"
    TOKEN_PROVIDER = "token provider"  # noqa: S105 - a kind's name


NAMED_MODEL = "prewarm.NamedModel"
"""No class: it refers to a model of the spec, or of the pool, by name."""

_CLASSES: dict[Kind, tuple[str, ...]] = {
    Kind.AGENT: (
        "autogen_agentchat.agents.AssistantAgent",
        "autogen_agentchat.agents.MessageFilterAgent",
        "autogen_agentchat.agents.SocietyOfMindAgent",
    ),
    Kind.TEAM: (
        "autogen_agentchat.teams.RoundRobinGroupChat",
        "autogen_agentchat.teams.SelectorGroupChat",
        "autogen_agentchat.teams.Swarm",
        "autogen_agentchat.teams.GraphFlow",
        "autogen_agentchat.teams.MagenticOneGroupChat",
    ),
    Kind.MODEL: (
        "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
        "autogen_ext.models.anthropic.AnthropicChatCompletionClient",
        "autogen_ext.models.ollama.OllamaChatCompletionClient",
        NAMED_MODEL,
    ),
    Kind.CONTEXT: (
        "autogen_core.model_context.UnboundedChatCompletionContext",
        "autogen_core.model_context.BufferedChatCompletionContext",
        "autogen_core.model_context.HeadAndTailChatCompletionContext",
    ),
    Kind.MEMORY: ("autogen_core.memory.ListMemory",),
    Kind.TERMINATION: (
        "autogen_agentchat.conditions.ExternalTermination",
        "autogen_agentchat.conditions.FunctionCallTermination",
        "autogen_agentchat.conditions.HandoffTermination",
        "autogen_agentchat.conditions.MaxMessageTermination",
        "autogen_agentchat.conditions.SourceMatchTermination",
        "autogen_agentchat.conditions.StopMessageTermination",
        "autogen_agentchat.conditions.TextMentionTermination",
        "autogen_agentchat.conditions.TextMessageTermination",
        "autogen_agentchat.conditions.TimeoutTermination",
        "autogen_agentchat.conditions.TokenUsageTermination",
        "autogen_agentchat.base.AndTerminationCondition",
        "autogen_agentchat.base.OrTerminationCondition",
    ),
    Kind.TOOL: (
        "autogen_agentchat.tools.AgentTool",
        "autogen_agentchat.tools.TeamTool",
        "autogen_core.tools.FunctionTool",
        "autogen_ext.tools.http.HttpTool",
    ),
    Kind.WORKBENCH: (
        "autogen_core.tools.StaticWorkbench",
        "autogen_core.tools.StaticStreamWorkbench",
        "autogen_ext.tools.mcp.McpWorkbench",
    ),
    Kind.MESSAGE_FORMAT: ("autogen_agentchat.messages.StructuredMessageFactory",),
    Kind.TOKEN_PROVIDER: ("autogen_ext.auth.azure.AzureTokenProvider",),
}

PROVIDERS: Mapping[str, Kind] = MappingProxyType({name: kind for kind, names in _CLASSES.items() for name in names})

# AutoGen's own short names for classes in the table.
_ALIASES = {
    "OpenAIChatCompletionClient": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "openai_chat_completion_client": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "AzureOpenAIChatCompletionClient": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "azure_openai_chat_completion_client": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "OllamaChatCompletionClient": "autogen_ext.models.ollama.OllamaChatCompletionClient",
}


def canonical(provider: str) -> str:
    """The full class path of a provider that may be one of AutoGen's short names."""
    return _ALIASES.get(provider, provider)


def kind_of(provider: str) -> Kind | None:
    """What `provider` is, or None when it is not on the list."""
    return PROVIDERS.get(canonical(provider))
