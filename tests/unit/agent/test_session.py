"""A conversation answered by an agent, with AutoGen's own model client for tests."""

from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import SelectorGroupChat
from autogen_core import CancellationToken
from autogen_ext.models.replay import ReplayChatCompletionClient

from prewarm_agent.framework.blueprint import Runner
from prewarm_agent.framework.session import Answer, Delta, NoAnswer, Session, Turn


class Fixed:
    """A blueprint that has built its agent already."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def prove(self) -> None: ...

    async def build(self, *, stream: bool) -> Runner:
        return self._runner


async def events(runner: Runner, *turns: Turn, stream: bool = False) -> list[Delta | Answer]:
    session = Session(Fixed(runner), turns or (Turn("user", "hello"),), stream=stream)
    return [event async for event in session.events()]


def deltas(found: list[Delta | Answer]) -> list[str]:
    return [event.text for event in found if isinstance(event, Delta)]


async def test_a_streaming_agent_gives_deltas_that_add_up_to_the_answer() -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["one two three"]), model_client_stream=True)
    *pieces, answer = await events(agent, stream=True)
    assert len(pieces) > 1
    assert isinstance(answer, Answer)
    assert "".join(deltas(pieces)) == answer.text == "one two three"


async def test_an_agent_that_cannot_stream_gives_its_answer_as_one_delta() -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["one two three"]))
    assert deltas(await events(agent, stream=True)) == ["one two three"]


async def test_nothing_is_streamed_that_was_not_asked_for() -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["one two three"]), model_client_stream=True)
    assert deltas(await events(agent)) == []


async def test_a_selector_knows_the_history_but_does_not_count_it() -> None:
    model = ReplayChatCompletionClient(["b", "from b"])
    members: list[Any] = [AssistantAgent(name, model, description=name) for name in ("a", "b")]
    team = SelectorGroupChat(members, model, termination_condition=MaxMessageTermination(2))
    answer = (await events(team, Turn("user", "first"), Turn("assistant", "second"), Turn("user", "third")))[-1]
    assert isinstance(answer, Answer)
    assert answer.text == "from b"
    selection, member = (str(call["messages"]) for call in model.create_calls)
    for text in ("first", "second", "third"):
        assert text in selection
        assert text in member


class Parrot(BaseChatAgent):
    """An agent of a user's own, which keeps no state that a history could be put into."""

    produced_message_types = (TextMessage,)

    async def on_messages(self, messages: Any, cancellation_token: CancellationToken) -> Response:
        text = " | ".join(f"{message.source}: {message.to_text()}" for message in messages)
        return Response(chat_message=TextMessage(content=text, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None: ...


async def test_an_agent_without_a_model_context_gets_the_history_as_messages() -> None:
    turns = Turn("user", "first"), Turn("assistant", "second"), Turn("user", "third", name="ada")
    answer = (await events(Parrot("parrot", "repeats"), *turns))[-1]
    assert answer == Answer("user: first | assistant: second | ada: third", None, None)


async def test_usage_is_absent_where_the_model_does_not_report_it() -> None:
    assert (await events(Parrot("parrot", "repeats")))[-1] == Answer("user: hello", None, None)
    answer = (await events(AssistantAgent("a", ReplayChatCompletionClient(["one two"]))))[-1]
    assert isinstance(answer, Answer)
    assert answer.completion_tokens == 2


async def test_a_run_without_an_agents_message_says_why_it_ended() -> None:
    model = ReplayChatCompletionClient(["a"])
    member: list[Any] = [AssistantAgent(name, model, description=name) for name in ("a", "b")]
    team = SelectorGroupChat(member, model, termination_condition=MaxMessageTermination(1))
    with pytest.raises(NoAnswer, match="Maximum number of messages 1 reached"):
        await events(team)
