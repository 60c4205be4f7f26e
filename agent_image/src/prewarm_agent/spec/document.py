"""The agent spec: the one document between the operator and this process (docs/design/0001, section 2)."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.recognise import component_of
from prewarm_agent.spec.validation import validate

# Sixty teams within each other. Deeper, AutoGen and pydantic run out of stack, and that says nothing to an author.
MAX_DEPTH = 200


class Source(BaseModel):
    """What is served: an AutoGen component or a factory in Python."""

    component: dict[str, Any] | None = None
    entrypoint: str | None = None
    config: dict[str, Any] | None = None

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
        if self.config is not None and self.entrypoint is None:
            raise ValueError("config is handed to the factory of entrypoint: set entrypoint, or remove config")
        return self


class NamedModel(BaseModel):
    """A model client that a spec, or a factory, refers to by name: `{"provider": "prewarm.NamedModel", ...}`."""

    name: Annotated[str, Field(pattern="^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    component: dict[str, Any]


class Security(BaseModel):
    """`allowCode` lets run what the spec itself brings as code."""

    allow_code: Annotated[bool, Field(alias="allowCode")] = False


class Warmup(BaseModel):
    """`offline` opens no connection, `connect` also opens the one to the model API, `live` asks the model once.

    `required`: a model API that cannot be reached holds readiness back. `timeoutSeconds` bounds the start.
    """

    mode: Literal["offline", "connect", "live"] = "connect"
    required: bool = False
    timeout_seconds: Annotated[float, Field(alias="timeoutSeconds", gt=0, allow_inf_nan=False)] = 120.0


class Drain(BaseModel):
    """After SIGTERM: new requests are still served for the delay, then those in flight may finish until the timeout."""

    delay_seconds: Annotated[float, Field(alias="delaySeconds", ge=0, allow_inf_nan=False)] = 5.0
    timeout_seconds: Annotated[float, Field(alias="timeoutSeconds", ge=0, allow_inf_nan=False)] = 60.0


class AgentSpec(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=63)]
    agent: Source
    models: list[NamedModel] = []
    warmup: Warmup = Warmup()
    security: Security = Security()
    concurrency_limit: Annotated[int, Field(alias="concurrencyLimit", ge=1)] = 100
    drain: Drain = Drain()


def read(path: Path) -> AgentSpec:
    """Reads and validates the document, without a look into the component. Raises PermanentError."""
    return parse(read_json(path))


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises PermanentError."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise _unreadable(f"{path} cannot be read: {error.strerror}; name the file of the spec.") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"{path} cannot be read as JSON: {error or type(error).__name__}.") from error
    if not isinstance(value, dict):
        raise _unreadable(f"{path} holds a JSON {type(value).__name__}; the agent spec is an object.")
    if _is_deeper(value, MAX_DEPTH):
        raise _unreadable(f"{path} is nested deeper than {MAX_DEPTH} levels; put fewer components into each other.")
    return value


def _is_deeper(value: object, levels: int) -> bool:
    """Level by level: a recursion would end as those that it is to spare."""
    level = [value]
    for _ in range(levels):
        nodes = [node.values() if isinstance(node, dict) else node for node in level if isinstance(node, dict | list)]
        level = [child for node in nodes for child in node]
    return any(isinstance(node, dict | list) for node in level)


def parse(value: dict[str, Any]) -> AgentSpec:
    """The agent spec in `value`, which may also be a bare component. Raises PermanentError."""
    if "agent" not in value:
        value = _around(*component_of(value, ""))
    spec, findings = validate(AgentSpec, value, "")
    if spec is None or findings:
        raise PermanentError(findings)
    return spec


def _around(component: dict[str, Any], path: str) -> dict[str, Any]:
    """An agent spec for a component as AutoGen Studio exports it, called as the component calls itself."""
    if "provider" not in component:
        text = "is neither an agent spec, which has `agent`, nor a component, which has `provider`."
        raise PermanentError([Finding(Reason.SPEC_UNREADABLE, path, text)])
    config = component.get("config")
    called = (config.get("name") if isinstance(config, dict) else None) or component.get("label") or "agent"
    name = re.sub("[^a-z0-9]+", "-", str(called).lower()).strip("-")[:40] or "agent"
    return {"name": name, "agent": {"component": component}}


def _unreadable(text: str) -> PermanentError:
    return PermanentError([Finding(Reason.SPEC_UNREADABLE, "", text)])
