"""An agent whose pods take half a minute to be warm, as one that loads an index does."""

import asyncio

from autogen_agentchat.agents import AssistantAgent

from prewarm_agent import Resources

WARM_UP_SECONDS = 30.0

MODEL = {
    "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "config": {"model": "gpt-4o-mini", "base_url": "http://model-server/v1"},
}


async def load(_: object) -> None:
    """Stands for what takes that long; it only waits, so that pods do not hinder each other on two cores."""
    await asyncio.sleep(WARM_UP_SECONDS)


async def build(resources: Resources) -> AssistantAgent:
    """A fresh agent for each request."""
    await resources.once("index", dict, warmup=load)
    return AssistantAgent("ramp", model_client=resources.model_client(MODEL))
