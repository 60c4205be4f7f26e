"""Checks a component tree, in an order that matters: nothing is imported before every provider is on the allow-list."""

import importlib
from collections.abc import Iterator
from typing import Any

from autogen_core import ComponentModel

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.validation import validate
from prewarm_agent.spec.walk import Component, components

PATH = "agent.component"


def check(component: dict[str, Any]) -> None:
    """Raises PermanentError with all findings: providers first, and only if all are allowed, their configurations."""
    nodes = list(components(component, PATH))
    if not nodes or nodes[0].path != PATH:
        missing = Finding(Reason.INVALID_CONFIG, f"{PATH}.provider", "is missing; name the class of the agent or team.")
        raise PermanentError([missing])
    findings = list(_providers(nodes)) or list(_configurations(nodes))
    if findings:
        # A key inside a nested component is seen with its parent and again on its own.
        raise PermanentError(list({(finding.reason, finding.path): finding for finding in findings}.values()))


def _providers(nodes: list[Component]) -> Iterator[Finding]:
    root = allowlist.kind_of(nodes[0].provider)
    servable = [
        name for name, kind in allowlist.PROVIDERS.items() if kind in (allowlist.Kind.AGENT, allowlist.Kind.TEAM)
    ]
    for node in nodes:
        path = f"{node.path}.provider"
        if allowlist.kind_of(node.provider) is None:
            names = servable if node is nodes[0] else sorted(allowlist.PROVIDERS)
            text = f"{node.provider!r} is not on the allow-list; use one of {', '.join(names)}."
            yield Finding(Reason.PROVIDER_NOT_ALLOWED, path, text)
        elif node is nodes[0] and root not in (allowlist.Kind.AGENT, allowlist.Kind.TEAM):
            text = f"{node.provider!r} is a {root}, which cannot be served; use one of {', '.join(servable)}."
            yield Finding(Reason.INVALID_CONFIG, path, text)


def _configurations(nodes: list[Component]) -> Iterator[Finding]:
    for node in nodes:
        _, findings = validate(ComponentModel, node.value, node.path)
        yield from findings
        if not isinstance(node.value.get("config"), dict):
            continue
        module, _, name = allowlist.canonical(node.provider).rpartition(".")
        component_class = getattr(importlib.import_module(module), name)
        current = component_class.component_version
        version = node.value.get("component_version") or current
        if version != current:
            text = f"is {version}, but AutoGen 0.7.5 reads {current}; export the component again with that release."
            yield Finding(Reason.INVALID_CONFIG, f"{node.path}.component_version", text)
            continue
        _, findings = validate(component_class.component_config_schema, node.value["config"], f"{node.path}.config")
        yield from findings
