"""An agent whose client is set as the SDK sets it: ten minutes for an attempt, and three attempts."""

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

CLIENT = OpenAIChatCompletionClient(model="gpt-4o-mini", api_key="none")


async def answer(text: str) -> None:
    await AssistantAgent("a", model_client=CLIENT).run(task=text)
