"""One conversation answered by one fresh agent or team."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from autogen_agentchat.base import TaskResult, Team
from autogen_agentchat.messages import BaseChatMessage, ModelClientStreamingChunkEvent, TextMessage
from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage

from prewarm_agent.framework.blueprint import Blueprint, Runner
from prewarm_agent.framework.terminations import FROM_CLIENT
from prewarm_agent.framework.upstream import LastCall, explain, last_call

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation, as the client sent it."""

    role: Literal["system", "user", "assistant"]
    text: str
    name: str | None = None

    def as_model_message(self) -> LLMMessage:
        if self.role == "system":
            return SystemMessage(content=self.text)
        if self.role == "assistant":
            return AssistantMessage(content=self.text, source="assistant")
        return UserMessage(content=self.text, source=self.name or "user")

    def as_chat_message(self) -> TextMessage:
        return TextMessage(content=self.text, source=self.name or self.role, metadata=dict(FROM_CLIENT))


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, in order. All pieces together end with the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The last event of a run. Tokens are None where the model did not report them."""

    text: str
    prompt_tokens: int | None
    completion_tokens: int | None


class NoAnswer(Exception):
    """The run ended without a message from an agent; the text says why it stopped."""


class Session:
    """Runs once. `cancel` stops the run and the model calls in it: a team goes on through any other cancellation."""

    def __init__(self, blueprint: Blueprint, turns: Sequence[Turn], *, stream: bool) -> None:
        self._blueprint = blueprint
        self._turns = turns
        self._stream = stream
        self._token = CancellationToken()
        self._last_call = LastCall()

    def cancel(self, *, late: bool = False) -> None:
        """`late` where the deadline stops it: a model call that is under way then has failed."""
        self._last_call.late = late
        self._token.cancel()

    def events(self) -> AsyncGenerator[Delta | Answer, None]:
        """Deltas if streaming was asked for, then the answer.

        Raises UpstreamFailure if the model's API is to blame, NoAnswer, or what the agent's own code raised.
        """
        return explained(self._events(), self._last_call)

    async def _events(self) -> AsyncGenerator[Delta | Answer, None]:
        runner = await self._blueprint.build(stream=self._stream)
        task = [self._turns[-1].as_chat_message()]
        if len(self._turns) > 1 and not await remember(runner, self._turns[:-1]):
            task = [turn.as_chat_message() for turn in self._turns]
        # A team's members speak in turn, and only the last word is the answer: theirs are not passed on.
        pass_on = self._stream and not isinstance(runner, Team)
        streamed = ""
        result: TaskResult | None = None
        run = runner.run_stream(task=task, cancellation_token=self._token, output_task_messages=False)
        async with aclosing(run):
            async for event in run:
                if isinstance(event, ModelClientStreamingChunkEvent):
                    if pass_on and event.content:
                        streamed += event.content
                        yield Delta(event.content)
                elif isinstance(event, TaskResult):
                    result = event
        answer = answer_of(result)
        if self._stream and not streamed.endswith(answer.text):
            yield Delta(f"\n\n{answer.text}" if streamed else answer.text)
        yield answer


async def explained(run: AsyncGenerator[Event, None], last: LastCall) -> AsyncGenerator[Event, None]:
    """The events of a run, whose model calls are kept in `last`.

    What it raises becomes an UpstreamFailure where the model's API is to blame.
    """
    last_call.set(last)
    try:
        async with aclosing(run) as events:
            async for event in events:
                yield event
    except Exception as error:
        if (failure := explain(error, last)) is not None:
            raise failure from error
        raise


def answer_of(result: TaskResult | None) -> Answer:
    """The last word of a run and the tokens of all of it. Raises NoAnswer."""
    messages = result.messages if result else ()
    spoken = [message for message in messages if isinstance(message, BaseChatMessage)]
    if not spoken:
        reason = result.stop_reason if result else None
        raise NoAnswer(f"The run ended without an answer: {reason or 'no agent spoke'}")
    usages = [message.models_usage for message in messages if message.models_usage]
    prompt = sum(usage.prompt_tokens for usage in usages)
    completion = sum(usage.completion_tokens for usage in usages)
    if not prompt and not completion:
        return Answer(spoken[-1].to_text(), None, None)
    return Answer(spoken[-1].to_text(), prompt, completion)


async def remember(runner: Runner, history: Sequence[Turn]) -> bool:
    """Puts earlier turns where the agents would have them had they taken part. False if they keep no such memory.

    Handed in as a task instead, they would count for termination conditions: an earlier answer that holds the word
    that ends the team would end it at once.
    """
    state = cast(dict[str, Any], await runner.save_state())
    remembered = False
    for place in _places(state):
        if "llm_context" in place and "messages" in place["llm_context"]:
            place["llm_context"]["messages"] += [turn.as_model_message().model_dump() for turn in history]
            remembered = True
        elif "message_thread" in place:
            place["message_thread"] += [turn.as_chat_message().model_dump(mode="json") for turn in history]
    if remembered:
        await runner.load_state(state)
    return remembered


def _places(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The mappings of a saved state: a team's holds those of its members."""
    yield state
    for value in state.values():
        if isinstance(value, dict):
            yield from _places(value)
