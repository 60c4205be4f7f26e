"""The body of an invocation: what it may hold, and the envelope around a state."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from prewarm_agent.framework.session import Turn
from prewarm_agent.serve.chat_request import MAX_MESSAGES, ChatMessage, Text, check_last_is_the_users, read_json
from prewarm_agent.serve.errors import APIError
from prewarm_agent.spec.findings import Finding
from prewarm_agent.spec.validation import explain

ENVELOPE_VERSION = 1


class Envelope(BaseModel):
    """A state as the client keeps it: whose it is, and what AutoGen's save_state gave."""

    prewarm: int
    agent: str
    state: dict[str, Any]


class InvocationRequest(BaseModel):
    """`input` is a text, or the conversation so far. A `state` stands for the conversation before one message."""

    input: (
        Annotated[Text, Field(min_length=1)]
        | Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    )
    state: Envelope | None = None
    return_state: bool | None = None
    stream: bool | None = None

    def turns(self) -> list[Turn]:
        if isinstance(self.input, str):
            return [Turn("user", self.input)]
        return [message.as_turn() for message in self.input]


def parse(body: bytes, agent: str) -> InvocationRequest:
    """Raises APIError, which names the field, for a request that this agent cannot answer."""
    request = explain(InvocationRequest, read_json(body))
    if isinstance(request, Finding):
        code = "invalid_state" if request.path.startswith("state") else "invalid_value"
        raise APIError(400, str(request), param=request.path or None, code=code)
    if not isinstance(request.input, str):
        check_last_is_the_users(request.input, "input")
    if request.state is not None:
        _check_state(request, request.state, agent)
    return request


def _check_state(request: InvocationRequest, state: Envelope, agent: str) -> None:
    if state.prewarm != ENVELOPE_VERSION:
        text = f"state.prewarm: is {state.prewarm}, this version reads {ENVELOPE_VERSION}; begin a new conversation."
        raise APIError(400, text, param="state.prewarm", code="invalid_state")
    if state.agent != agent:
        text = f"state.agent: is the state of {state.agent!r}, this is {agent!r}; begin a new conversation."
        raise APIError(400, text, param="state.agent", code="invalid_state")
    if not isinstance(request.input, str) and len(request.input) > 1:
        text = "input: with a state, send only the new message; what was said before is in the state."
        raise APIError(400, text, param="input", code="invalid_value")


def envelope(agent: str, state: dict[str, Any]) -> dict[str, Any]:
    """What the client sends back as `state`."""
    return {"prewarm": ENVELOPE_VERSION, "agent": agent, "state": state}
