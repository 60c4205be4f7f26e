"""The pool document: what a generic pod is given before it has an agent, and what an agent of the pool may bring."""

import importlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from prewarm_agent.spec import allowlist, document
from prewarm_agent.spec.document import AgentSpec, Drain, NamedModel, Source, Warmup
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.validation import validate
from prewarm_agent.spec.walk import components


class Pool(BaseModel):
    """The document. Specs refer to `models` by name; `preload` are modules to import before there is a spec."""

    name: Annotated[str, Field(min_length=1, max_length=63)]
    models: list[NamedModel] = []
    allowed_entrypoints: Annotated[list[str], Field(alias="allowedEntrypoints")] = []
    preload: list[str] = []
    concurrency_limit: Annotated[int, Field(alias="concurrencyLimit", ge=1)] = 100
    warmup: Warmup = Warmup()
    drain: Drain = Drain()

    def as_spec(self) -> AgentSpec:
        """The spec of a process that has the pool's models and settings, and no agent yet."""
        return AgentSpec(
            name=self.name,
            agent=Source(component={}),
            models=self.models,
            warmup=self.warmup,
            concurrencyLimit=self.concurrency_limit,
            drain=self.drain,
        )

    def admitted(self, spec: AgentSpec) -> AgentSpec:
        """What is served for a spec of an agent of this pool. Raises PermanentError with all that it may not bring.

        The pod holds the pool's keys. A model client with a URL or headers of its own could send them anywhere, and
        so could code; only what is on the image and listed by the pool may run.
        """
        findings = [*self._own_models(spec), *self._own_code(spec)]
        if findings:
            raise PermanentError(findings)
        # The kubelet waits as long as the pool's document says, whatever an agent would like.
        drain = Drain(
            delaySeconds=min(spec.drain.delay_seconds, self.drain.delay_seconds),
            timeoutSeconds=min(spec.drain.timeout_seconds, self.drain.timeout_seconds),
        )
        return spec.model_copy(update={"drain": drain})

    def _own_models(self, spec: AgentSpec) -> list[Finding]:
        names = [model.name for model in self.models]
        refer = (
            f"refer to one of its own ({', '.join(names) or 'none yet'}) with "
            f'{{"provider": "{allowlist.NAMED_MODEL}", "config": {{"name": ...}}}}'
        )
        text = f"is not taken by pool {self.name}: {refer}."
        findings = [Finding(Reason.INVALID_CONFIG, f"models[{at}]", text) for at in range(len(spec.models))]
        for part, path in ((spec.agent.component, "agent.component"), (spec.agent.config, "agent.config")):
            for node in components(part, path):
                if allowlist.kind_of(node.provider) is not allowlist.Kind.MODEL:
                    continue
                if node.provider != allowlist.NAMED_MODEL:
                    findings.append(Finding(Reason.INVALID_CONFIG, node.path, text))
                elif (name := node.config.get("name")) not in names:
                    unknown = f"is {name!r}, which is no model of pool {self.name}: {refer}."
                    findings.append(Finding(Reason.INVALID_CONFIG, f"{node.path}.config.name", unknown))
        return findings

    def _own_code(self, spec: AgentSpec) -> list[Finding]:
        findings = []
        entrypoint = spec.agent.entrypoint
        if entrypoint is not None and entrypoint not in self.allowed_entrypoints:
            allowed = ", ".join(self.allowed_entrypoints) or "none so far"
            text = f"{entrypoint!r} is not in allowedEntrypoints of pool {self.name} ({allowed})."
            findings.append(Finding(Reason.CODE_NOT_ALLOWED, "agent.entrypoint", text))
        if spec.security.allow_code:
            text = f"is not taken by pool {self.name}, whose keys the code could read; put the code on the image."
            findings.append(Finding(Reason.CODE_NOT_ALLOWED, "security.allowCode", text))
        return findings


def read(path: Path) -> Pool:
    """Raises PermanentError."""
    pool, findings = validate(Pool, document.read_json(path), "")
    if pool is None or findings:
        raise PermanentError(findings)
    return pool


def preload(pool: Pool) -> None:
    """Imports the pool's modules. Raises PermanentError with all that cannot be imported."""
    findings = []
    for index, module in enumerate(pool.preload):
        try:
            importlib.import_module(module)
        except Exception as error:
            reason = Reason.MODULE_NOT_FOUND if isinstance(error, ModuleNotFoundError) else Reason.FACTORY_FAILED
            text = f"importing {module} raised {type(error).__name__}: {error}."
            findings.append(Finding(reason, f"preload[{index}]", text))
    if findings:
        raise PermanentError(findings)


def plain_agent(model: str) -> dict[str, Any]:
    """The spec of the least that an agent of the pool can be, to rehearse with."""
    client = {"provider": allowlist.NAMED_MODEL, "component_type": "model", "config": {"name": model}}
    config = {
        "name": "rehearsal",
        "model_client": client,
        "description": "Rehearses.",
        "system_message": "Rehearse.",
        "reflect_on_tool_use": False,
        "tool_call_summary_format": "{result}",
    }
    component = {"provider": "autogen_agentchat.agents.AssistantAgent", "component_type": "agent", "config": config}
    return {"name": "rehearsal", "agent": {"component": component}, "warmup": {"mode": "offline"}}
