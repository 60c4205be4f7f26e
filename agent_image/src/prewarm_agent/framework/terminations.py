"""Terminations that look at what agents say. AutoGen's also look at the task, which here is a user's text."""

from collections.abc import Sequence

from autogen_agentchat.base import TerminationCondition
from autogen_agentchat.conditions import TextMentionTermination, TextMessageTermination
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage

# Put on the messages of a task by the session, and read here: a source is no proof, since clients choose names.
FROM_CLIENT = {"prewarm": "from client"}


class _AgentsOnly(TerminationCondition):
    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        return await super().__call__([message for message in messages if not _from_client(message)])  # type: ignore[safe-super]


class AgentMentionTermination(_AgentsOnly, TextMentionTermination):
    component_provider_override = f"{__name__}.AgentMentionTermination"


class AgentMessageTermination(_AgentsOnly, TextMessageTermination):
    component_provider_override = f"{__name__}.AgentMessageTermination"


_REPLACED_BY = {
    "autogen_agentchat.conditions.TextMentionTermination": AgentMentionTermination,
    "autogen_agentchat.conditions.TextMessageTermination": AgentMessageTermination,
}


def replacement(provider: str) -> str | None:
    """The provider to load instead, if there is one."""
    found = _REPLACED_BY.get(provider)
    return f"{found.__module__}.{found.__qualname__}" if found else None


def _from_client(message: BaseAgentEvent | BaseChatMessage) -> bool:
    return message.metadata.items() >= FROM_CLIENT.items()
