"""Checks a component tree, in an order that matters: nothing is imported before every provider is on the allow-list."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autogen_core import ComponentModel
from pydantic import BaseModel

from prewarm_agent.spec import allowlist, meaning, refuse
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.migrate import migrate
from prewarm_agent.spec.recognise import component_of
from prewarm_agent.spec.validation import validate
from prewarm_agent.spec.walk import Component, components

PATH = "agent.component"

_USE_INSTEAD = {
    ("OllamaChatCompletionClient", "base_url"): "host",
    ("OllamaChatCompletionClient", "api_key"): "headers",
    ("OpenAIChatCompletionClient", "host"): "base_url",
    ("AzureOpenAIChatCompletionClient", "base_url"): "azure_endpoint",
    ("AnthropicChatCompletionClient", "azure_endpoint"): "base_url",
}
"""Fields of one vendor's client that people write into another's."""


class NameOfAModel(BaseModel):
    """The config of `prewarm.NamedModel`."""

    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A component as the present AutoGen reads it, and what its author should know."""

    component: dict[str, Any]
    warnings: tuple[Finding, ...]


def check(component: dict[str, Any], *, allow_code: bool = False) -> Checked:
    """Raises PermanentError with all errors: about providers, and if all of them are allowed, about their configs."""
    component, path = component_of(component, PATH)
    component, changes = migrate(component, path)
    nodes = list(components(component, path))
    if not nodes or nodes[0].path != path:
        missing = Finding(Reason.INVALID_CONFIG, f"{path}.provider", "is missing; name the class of the agent or team.")
        raise PermanentError([missing])
    told = [*_providers(nodes), *refuse.refusals(nodes, allow_code=allow_code)]
    if all(allowlist.kind_of(node.provider) is not None for node in nodes):
        told += _configurations(nodes)
    errors = [finding for finding in (*told, *changes) if not finding.warning]
    if errors:
        # A key inside a nested component is seen with its parent and again on its own.
        raise PermanentError(list({(finding.reason, finding.path): finding for finding in errors}.values()))
    return Checked(component, (*changes, *(finding for finding in told if finding.warning), *meaning.warnings(nodes)))


def _providers(nodes: list[Component]) -> Iterator[Finding]:
    servable = [
        name for name, kind in allowlist.PROVIDERS.items() if kind in (allowlist.Kind.AGENT, allowlist.Kind.TEAM)
    ]
    unknown = [
        node for node in nodes if allowlist.kind_of(node.provider) is None and node.provider not in refuse.NOT_SERVABLE
    ]
    if unknown:
        named = list(dict.fromkeys(repr(node.provider) for node in unknown))
        names = servable if unknown[0] is nodes[0] else sorted(allowlist.PROVIDERS)
        verb = "is" if len(named) == 1 else "are"
        text = f"{', '.join(named)} {verb} not on the allow-list; use one of {', '.join(names)}."
        yield Finding(Reason.PROVIDER_NOT_ALLOWED, f"{unknown[0].path}.provider", text)
    root = allowlist.kind_of(nodes[0].provider)
    if root not in (None, allowlist.Kind.AGENT, allowlist.Kind.TEAM):
        text = f"{nodes[0].provider!r} is a {root}, which cannot be served; use one of {', '.join(servable)}."
        yield Finding(Reason.INVALID_CONFIG, f"{nodes[0].path}.provider", text)


def _configurations(nodes: list[Component]) -> Iterator[Finding]:
    for node in nodes:
        _, findings = validate(ComponentModel, node.value, node.path)
        yield from findings
        if not isinstance(node.value.get("config"), dict):
            continue
        module, _, name = allowlist.canonical(node.provider).rpartition(".")
        _, findings = validate(_schema(module, name), node.value["config"], f"{node.path}.config")
        yield from (_in_words_of(name, finding, node) for finding in findings)


def _schema(module: str, name: str) -> type[BaseModel]:
    if f"{module}.{name}" == allowlist.NAMED_MODEL:
        return NameOfAModel
    schema: type[BaseModel] = getattr(importlib.import_module(module), name).component_config_schema
    return schema


def _in_words_of(name: str, finding: Finding, node: Component) -> Finding:
    """Says which field is meant where people took another vendor's."""
    key = finding.path.removeprefix(f"{node.path}.config.")
    instead = _USE_INSTEAD.get((name, key))
    if finding.reason is not Reason.UNKNOWN_KEY or instead is None:
        return finding
    return Finding(finding.reason, finding.path, f"{name} has no field {key}; use {instead}.")
