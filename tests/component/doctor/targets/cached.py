"""One agent for all sessions, as a cached factory returns it, on a client as the SDK sets it."""

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

_CACHED = AssistantAgent("cached", model_client=OpenAIChatCompletionClient(model="gpt-4o-mini", api_key="none"))


async def newest_prompt_to_a_cached_agent(text: str) -> None:
    async for _ in _CACHED.run_stream(task=text):
        pass
