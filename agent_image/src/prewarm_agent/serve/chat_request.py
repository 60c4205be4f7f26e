"""The body of a chat completion request: what it may hold, and what an agent makes of it."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from prewarm_agent.framework.session import Turn
from prewarm_agent.serve.errors import APIError
from prewarm_agent.spec.findings import Finding
from prewarm_agent.spec.validation import explain

MAX_MESSAGES = 2048  # as the OpenAI API has it


def _of_whole_characters(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError as error:
        text = f"holds half a character, {value[error.start]!a}; cut texts between characters"
        raise ValueError(text) from error
    return value


# JSON can say what no request to a model can: JavaScript's slices leave halves of emoji.
Text = Annotated[str, BeforeValidator(_of_whole_characters)]


class TextPart(BaseModel):
    type: str
    text: Text

    @field_validator("type")
    @classmethod
    def _text(cls, kind: str) -> str:
        if kind != "text":
            raise ValueError(f"{kind!r} is not served, the agent reads text; send it in words or leave the part out")
        return kind


class ChatMessage(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[TextPart]
    # As the OpenAI API has it; AutoGen raises for any other.
    name: Annotated[str, Field(pattern="^[a-zA-Z0-9_-]{1,64}$")] | None = None

    def as_turn(self) -> Turn:
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Turn("system" if self.role == "developer" else self.role, text, self.name)


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """The fields that mean something to an agent. Sampling parameters are the spec's business and are ignored."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None  # what `tools` was called before


def read_json(body: bytes) -> object:
    """What a body says. Raises APIError if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise APIError(400, "The body is not JSON.", code="invalid_json") from None


def check_last_is_the_users(messages: Sequence[ChatMessage], field: str) -> None:
    """Raises APIError, which names the message of `field`, where an agent would have nothing to answer."""
    if messages[-1].role != "user":
        param = f"{field}[{len(messages) - 1}].role"
        raise APIError(400, f"{param}: the last message must be the user's.", param=param, code="invalid_value")


def parse(body: bytes, served_model: str) -> ChatRequest:
    """Raises APIError, which names the field, for a request that this agent cannot answer."""
    request = explain(ChatRequest, read_json(body))
    if isinstance(request, Finding):
        raise APIError(400, str(request), param=request.path or None, code="invalid_value")
    if request.model != served_model:
        text = f"model: {request.model!r} is not served here; use {served_model!r}."
        raise APIError(404, text, param="model", code="model_not_found")
    check_last_is_the_users(request.messages, "messages")
    for field in ("tools", "functions"):
        if getattr(request, field):
            raise APIError(400, f"{field}: the agent has its own; leave it out.", param=field, code="unsupported")
    if request.n not in (None, 1):
        raise APIError(400, "n: an agent gives one answer; leave the field out.", param="n", code="unsupported")
    return request
