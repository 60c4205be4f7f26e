"""An agent written in Python: a factory that is called for every request, and shares what is expensive."""

from autogen_agentchat.agents import AssistantAgent
from autogen_core.tools import FunctionTool

from prewarm_agent import Resources


async def open_orders() -> dict[str, str]:
    """Stands for a connection to a database, which is opened once in a process."""
    return {"17": "on its way"}


async def build(resources: Resources) -> AssistantAgent:
    """A fresh agent: agents remember what they read, and one user's text must not reach the next."""
    orders = await resources.once("orders", open_orders)

    async def order_status(number: str) -> str:
        return orders.get(number, "unknown")

    tool = await resources.once("order_status", lambda: FunctionTool(order_status, "Where an order is."))
    return AssistantAgent(
        "orders",
        model_client=resources.model_client(resources.config["model"]),
        tools=[tool],
        system_message="Answer questions about orders.",
    )
