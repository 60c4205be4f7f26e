"""Specs as the operator writes them, around components as AutoGen 0.7.5 dumps them."""

from typing import Any


def model_client(base_url: str, **config: Any) -> dict[str, Any]:
    return {
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "component_type": "model",
        "config": {"model": "gpt-4o-mini", "base_url": base_url, "max_retries": 0, **config},
    }


def assistant(base_url: str, name: str = "support", **config: Any) -> dict[str, Any]:
    return {
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_type": "agent",
        "version": 2,
        "component_version": 2,
        "description": "An agent that provides assistance with tool use.",
        "label": "AssistantAgent",
        "config": {
            "name": name,
            "model_client": model_client(base_url),
            "description": "Answers questions.",
            "system_message": "You answer questions.",
            "model_client_stream": False,
            "reflect_on_tool_use": False,
            "tool_call_summary_format": "{result}",
            **config,
        },
    }


def team(base_url: str, *, max_turns: int = 2) -> dict[str, Any]:
    return {
        "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
        "component_type": "team",
        "component_version": 1,
        "config": {
            "participants": [assistant(base_url, "writer"), assistant(base_url, "critic")],
            "termination_condition": {
                "provider": "autogen_agentchat.conditions.TextMentionTermination",
                "component_type": "termination",
                "config": {"text": "TERMINATE"},
            },
            "max_turns": max_turns,
        },
    }


def spec(component: dict[str, Any] | None = None, *, entrypoint: str | None = None, **fields: Any) -> dict[str, Any]:
    agent = {"component": component} if entrypoint is None else {"entrypoint": entrypoint}
    drain = {"delaySeconds": 0.5, "timeoutSeconds": 5}
    return {"name": "support", "agent": agent, "warmup": {"mode": "offline"}, "drain": drain, **fields}
