"""A run whose steps and state the client sees: what `POST /invocations` is made of."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import (
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken

from prewarm_agent.framework.blueprint import Blueprint, Runner
from prewarm_agent.framework.session import Answer, Turn, answer_of, explained, remember
from prewarm_agent.framework.upstream import LastCall


@dataclass(frozen=True, slots=True)
class Step:
    """One event: `kind` is delta, message, tool_call or tool_result; `data` what the client gets."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last event: the answer, why the run stopped, and the state if it was asked for."""

    answer: Answer
    stop_reason: str | None
    state: dict[str, Any] | None


class StateRefused(Exception):
    """The agent cannot go on from this state; the text says why."""


class Conversation:
    """Runs once: from `state` if there is one, otherwise after the earlier `turns`, to an answer of the last turn."""

    def __init__(
        self,
        blueprint: Blueprint,
        turns: Sequence[Turn],
        *,
        stream: bool,
        state: dict[str, Any] | None,
        return_state: bool,
    ) -> None:
        self._blueprint = blueprint
        self._turns = turns
        self._stream = stream
        self._state = state
        self._return_state = return_state
        self._token = CancellationToken()
        self._last_call = LastCall()

    def cancel(self, *, late: bool = False) -> None:
        """As a Session's."""
        self._last_call.late = late
        self._token.cancel()

    def events(self) -> AsyncGenerator[Step | Outcome, None]:
        """Steps, then the outcome. Raises StateRefused and what a Session raises."""
        return explained(self._events(), self._last_call)

    async def _events(self) -> AsyncGenerator[Step | Outcome, None]:
        runner = await self._blueprint.build(stream=self._stream)
        task = [self._turns[-1].as_chat_message()]
        if self._state is not None:
            await _resume(runner, self._state)
        elif len(self._turns) > 1 and not await remember(runner, self._turns[:-1]):
            task = [turn.as_chat_message() for turn in self._turns]
        result: TaskResult | None = None
        run = runner.run_stream(task=task, cancellation_token=self._token, output_task_messages=False)
        async with aclosing(run):
            async for event in run:
                if isinstance(event, TaskResult):
                    result = event
                else:
                    for step in _steps(event):
                        yield step
        answer = answer_of(result)
        state = dict(await runner.save_state()) if self._return_state else None
        yield Outcome(answer, result.stop_reason if result else None, state)


async def _resume(runner: Runner, state: dict[str, Any]) -> None:
    """Raises StateRefused."""
    own, given = (await runner.save_state()).get("type"), state.get("type")
    if given != own:  # AutoGen would take what it knows from it, nothing perhaps, and begin anew without a word
        raise StateRefused(f"it is a {given}, not a {own}")
    try:
        await runner.load_state(state)
    except Exception as error:
        raise StateRefused(f"{type(error).__name__}: {error}".partition("\n")[0]) from error


def _steps(event: object) -> Iterator[Step]:
    if isinstance(event, ModelClientStreamingChunkEvent):
        if event.content:
            yield Step("delta", {"source": event.source, "text": event.content})
    elif isinstance(event, ToolCallRequestEvent):
        for call in event.content:
            yield Step(
                "tool_call", {"source": event.source, "id": call.id, "name": call.name, "arguments": call.arguments}
            )
    elif isinstance(event, ToolCallExecutionEvent):
        for done in event.content:
            yield Step(
                "tool_result",
                {"source": event.source, "id": done.call_id, "name": done.name, "content": done.content}
                | {"is_error": bool(done.is_error)},
            )
    elif isinstance(event, BaseChatMessage):
        yield Step("message", {"source": event.source, "text": event.to_text()})
