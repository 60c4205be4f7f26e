"""The agent spec: the one document between the operator and this process (docs/design/0001, section 2)."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.validation import validate


class Source(BaseModel):
    """What is served: an AutoGen component or a factory in Python."""

    component: dict[str, Any] | None = None
    entrypoint: str | None = None

    @field_validator("entrypoint")
    @classmethod
    def _module_and_factory(cls, entrypoint: str | None) -> str | None:
        if entrypoint is not None and not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", entrypoint):
            raise ValueError(f"{entrypoint!r} is not of the form module:factory")
        return entrypoint

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        if (self.component is None) == (self.entrypoint is None):
            raise ValueError("set exactly one of component and entrypoint")
        return self


class Warmup(BaseModel):
    """`offline` opens no connection; `connect` also opens the one to the model API. `timeoutSeconds` bounds either."""

    mode: Literal["offline", "connect"] = "connect"
    timeout_seconds: Annotated[float, Field(alias="timeoutSeconds", gt=0, allow_inf_nan=False)] = 120.0


class Drain(BaseModel):
    """After SIGTERM: new requests are still served for the delay, then those in flight may finish until the timeout."""

    delay_seconds: Annotated[float, Field(alias="delaySeconds", ge=0, allow_inf_nan=False)] = 5.0
    timeout_seconds: Annotated[float, Field(alias="timeoutSeconds", ge=0, allow_inf_nan=False)] = 60.0


class AgentSpec(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=63)]
    agent: Source
    warmup: Warmup = Warmup()
    concurrency_limit: Annotated[int, Field(alias="concurrencyLimit", ge=1)] = 100
    drain: Drain = Drain()


def read(path: Path) -> AgentSpec:
    """Reads and validates the document, without a look into the component. Raises PermanentError."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(f"{path} cannot be read as JSON: {error or type(error).__name__}.") from error
    if not isinstance(value, dict):
        raise _unreadable(f"{path} holds a JSON {type(value).__name__}; the agent spec is an object.")
    spec, findings = validate(AgentSpec, value, "")
    if spec is None or findings:
        raise PermanentError(findings)
    return spec


def _unreadable(text: str) -> PermanentError:
    return PermanentError([Finding(Reason.SPEC_UNREADABLE, "", text)])
