"""`POST /invocations`: one turn of a conversation, with its steps, and with a state that any replica can go on from."""

from typing import Any

from prewarm_agent.admission.run import Run
from prewarm_agent.framework.blueprint import Blueprint
from prewarm_agent.framework.conversation import Conversation, Outcome, StateRefused, Step
from prewarm_agent.serve.asgi import Receive, Scope, Send, header, send_json
from prewarm_agent.serve.completions import usage_of
from prewarm_agent.serve.errors import APIError, from_exception
from prewarm_agent.serve.event_stream import EventStream
from prewarm_agent.serve.invocation_request import envelope, parse
from prewarm_agent.serve.running import Running, with_heartbeats


class Invocations:
    """The endpoint, for the one agent called `name`."""

    def __init__(self, name: str, blueprint: Blueprint, running: Running) -> None:
        self._name = name
        self._blueprint = blueprint
        self._running = running

    async def answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Answers one request whose body was read. Raises APIError; a streamed answer has told the client by then."""
        request = parse(body, self._name)
        stream = bool(request.stream) or b"text/event-stream" in (header(scope, b"accept") or b"")
        conversation = Conversation(
            self._blueprint,
            request.turns(),
            stream=stream,
            state=None if request.state is None else request.state.state,
            return_state=request.state is not None if request.return_state is None else request.return_state,
        )
        async with self._running.run(conversation, receive) as run:
            try:
                await (self._stream(run, send) if stream else self._plain(run, send))
            except StateRefused as error:
                raise _refused(error) from error

    async def _plain(self, run: Run[Step | Outcome], send: Send) -> None:
        messages = []
        outcome = None
        async for event in run:
            if isinstance(event, Outcome):
                outcome = event
            elif event.kind == "message":
                messages.append(event.data)
        assert outcome is not None  # a conversation raises where it has no answer
        await send_json(send, 200, {**self._result(outcome), "messages": messages})

    async def _stream(self, run: Run[Step | Outcome], send: Send) -> None:
        stream = EventStream(send)
        try:
            async for event in with_heartbeats(run):
                if event is None:
                    await stream.heartbeat()
                elif isinstance(event, Step):
                    await stream.event(event.data, kind=event.kind)
                else:
                    await self._end(stream, event)
        except Exception as error:
            if stream.started:
                failure = _refused(error) if isinstance(error, StateRefused) else from_exception(error)
                await stream.event(failure.body(), kind="error", last=True)
            raise

    async def _end(self, stream: EventStream, outcome: Outcome) -> None:
        """Everything once more by itself, so that a client may listen to what it needs alone."""
        result = self._result(outcome)
        for kind in ("usage", "state"):
            if result[kind] is not None:
                await stream.event(result[kind], kind=kind)
        await stream.event({"output": result["output"], "stop_reason": result["stop_reason"]}, kind="done", last=True)

    def _result(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "output": outcome.answer.text,
            "usage": usage_of(outcome.answer),
            "state": None if outcome.state is None else envelope(self._name, outcome.state),
            "stop_reason": outcome.stop_reason,
        }


def _refused(error: StateRefused) -> APIError:
    text = f"state: the agent cannot go on from it ({error}); begin a new conversation."
    return APIError(400, text, param="state", code="invalid_state")
