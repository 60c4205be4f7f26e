"""What `dump_component` of the locked AutoGen writes is accepted as it is: no key of its own is unknown."""

import json
from typing import Any

import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
    SocietyOfMindAgent,
)
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import (
    ExternalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core.memory import ListMemory, MemoryContent
from autogen_core.model_context import BufferedChatCompletionContext, HeadAndTailChatCompletionContext
from autogen_core.tools import StaticStreamWorkbench, StaticWorkbench
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from prewarm_agent.spec.check import check

MODEL = OpenAIChatCompletionClient(
    model="my-model",
    base_url="http://model/v1",
    api_key="x",
    temperature=0.1,
    stop=["x"],
    default_headers={"a": "b"},
    model_info={
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "family": "unknown",
        "structured_output": False,
        "multiple_system_messages": True,
    },
)


class Reply(BaseModel):
    text: str
    score: float = 0.5


def agent(name: str = "a", **settings: Any) -> AssistantAgent:
    return AssistantAgent(name, MODEL, **settings)


def round_robin() -> RoundRobinGroupChat:
    return RoundRobinGroupChat([agent("a"), agent("b")], max_turns=1)


def graph() -> GraphFlow:
    last = PerSourceFilter(source="a", position="last", count=1)
    first, second = agent("a"), MessageFilterAgent("b", agent("b"), MessageFilterConfig(per_source=[last]))
    builder = DiGraphBuilder().add_node(first).add_node(second).add_edge(first, second, condition="yes")
    return GraphFlow([first, second], graph=builder.build())


ENDS = (
    (MaxMessageTermination(5) | TextMentionTermination("END", sources=["a"]) & SourceMatchTermination(["a"]))
    | HandoffTermination("b")
    | StopMessageTermination()
    | TokenUsageTermination(1, 1, 1)
    | TimeoutTermination(3)
    | ExternalTermination()
    | TextMessageTermination("a")
    | FunctionCallTermination("f")
)

DUMPED = {
    "an agent": agent(metadata={"owner": "x"}, model_context=BufferedChatCompletionContext(5)),
    "memory": agent(memory=[ListMemory(memory_contents=[MemoryContent(content="x", mime_type="text/plain")])]),
    "handoffs": agent(
        handoffs=[Handoff(target="b", message="go")], model_context=HeadAndTailChatCompletionContext(2, 2)
    ),
    "structured output": agent(output_content_type=Reply),
    "tools": agent(tools=[AgentTool(agent("b")), TeamTool(round_robin(), name="team", description="x")]),
    "a workbench": agent(workbench=StaticWorkbench([AgentTool(agent("b"))])),
    "workbenches": agent(workbench=[StaticStreamWorkbench([AgentTool(agent("b"))])]),
    "a round robin": RoundRobinGroupChat([agent()], termination_condition=ENDS, emit_team_events=True),
    "a selector": SelectorGroupChat([agent("a"), agent("b")], MODEL, model_context=BufferedChatCompletionContext(5)),
    "a swarm": Swarm([agent("a", handoffs=["b"]), agent("b")]),
    "a graph": graph(),
    "Magentic-One": MagenticOneGroupChat([agent()], MODEL),
    "a society of mind": SocietyOfMindAgent("s", round_robin(), MODEL),
}


@pytest.mark.parametrize("name", DUMPED)
@pytest.mark.parametrize("without_nulls", [False, True])
def test_what_autogen_dumps_is_accepted(name: str, *, without_nulls: bool) -> None:
    component = DUMPED[name].dump_component().model_dump_json(exclude_none=without_nulls)
    check(json.loads(component))
