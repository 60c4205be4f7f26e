"""Checks a component tree, in an order that matters: nothing is imported before every provider is on the allow-list."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from prewarm_agent.spec import allowlist, meaning, names, refuse
from prewarm_agent.spec.allowlist import Kind
from prewarm_agent.spec.configuration import configurations
from prewarm_agent.spec.document import AgentSpec
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.migrate import migrate
from prewarm_agent.spec.recognise import component_of
from prewarm_agent.spec.walk import Component, components

PATH = "agent.component"
CONFIG_PATH = "agent.config"
SERVED = (Kind.AGENT, Kind.TEAM)


@dataclass(frozen=True, slots=True)
class Checked:
    """A component as the present AutoGen reads it, and what its author should know."""

    component: dict[str, Any]
    warnings: tuple[Finding, ...]


def check_spec(spec: AgentSpec) -> tuple[Finding, ...]:
    """Puts what the present AutoGen reads in the place of each component of `spec`, and gives the warnings.

    Raises PermanentError with the errors of all components.
    """
    return _settled(examine_spec(spec))


def check_models(spec: AgentSpec) -> tuple[Finding, ...]:
    """The same for its models alone."""
    return _settled([*_models(spec)])


def check(component: dict[str, Any], *, allow_code: bool = False) -> Checked:
    """The same for a component alone, an agent or team. Raises PermanentError."""
    component, findings = _examined(component, PATH, SERVED, allow_code=allow_code)
    return Checked(component, _settled(findings))


def examine_spec(spec: AgentSpec) -> list[Finding]:
    """As `check_spec`, with errors among the findings."""
    findings: list[Finding] = []
    if spec.agent.component is not None:
        allow_code = spec.security.allow_code
        spec.agent.component, findings = _examined(spec.agent.component, PATH, SERVED, allow_code=allow_code)
    return [*findings, *_handed_to_the_factory(spec), *_models(spec)]


def _handed_to_the_factory(spec: AgentSpec) -> Iterator[Finding]:
    """What `resources.model_client` would say of the models in `agent.config`.

    Warnings, for only the factory knows what it does with them, and for the same reason nothing is migrated.
    """
    for node in components(spec.agent.config, CONFIG_PATH):
        if allowlist.kind_of(node.provider) is Kind.MODEL:
            _, findings = _examined(node.value, node.path, (Kind.MODEL,), allow_code=False)
            yield from (replace(finding, warning=True) for finding in findings)


def _models(spec: AgentSpec) -> Iterator[Finding]:
    for index, model in enumerate(spec.models):
        path = f"models[{index}].component"
        model.component, findings = _examined(model.component, path, (Kind.MODEL,), allow_code=False)
        yield from findings
        if model.component.get("provider") == allowlist.NAMED_MODEL:
            text = "is itself a reference; name the client of a model."
            yield Finding(Reason.INVALID_CONFIG, f"{path}.provider", text)


def _settled(findings: list[Finding]) -> tuple[Finding, ...]:
    errors = [finding for finding in findings if not finding.warning]
    if errors:
        raise PermanentError(errors)
    return tuple(findings)


def _examined(
    component: dict[str, Any], path: str, kinds: tuple[Kind, ...], *, allow_code: bool
) -> tuple[dict[str, Any], list[Finding]]:
    """A component that must be one of `kinds`, migrated. Its configs are looked at if all providers are allowed."""
    try:
        component, path = component_of(component, path)
    except PermanentError as error:
        return component, list(error.findings)
    component, changes = migrate(component, path)
    nodes = list(components(component, path))
    if not nodes or nodes[0].path != path:
        text = f"is missing; name the class of the {kinds[0]}."
        return component, [Finding(Reason.INVALID_CONFIG, f"{path}.provider", text)]
    told = [*_providers(nodes, kinds), *refuse.refusals(nodes, allow_code=allow_code), *names.of_agents(nodes)]
    if all(allowlist.kind_of(node.provider) is not None for node in nodes):
        told += configurations(nodes)
    # A key inside a nested component is seen with its parent and again on its own.
    distinct = {(finding.reason, finding.path, finding.warning): finding for finding in (*told, *changes)}
    return component, [*distinct.values(), *meaning.warnings(nodes)]


def _providers(nodes: list[Component], kinds: tuple[Kind, ...]) -> Iterator[Finding]:
    wanted = [name for name, kind in allowlist.PROVIDERS.items() if kind in kinds]
    unknown = [
        node for node in nodes if allowlist.kind_of(node.provider) is None and node.provider not in refuse.NOT_SERVABLE
    ]
    if unknown:
        named = list(dict.fromkeys(repr(node.provider) for node in unknown))
        known = wanted if unknown[0] is nodes[0] else sorted(allowlist.PROVIDERS)
        verb = "is" if len(named) == 1 else "are"
        text = f"{', '.join(named)} {verb} not on the allow-list; use one of {', '.join(known)}."
        yield Finding(Reason.PROVIDER_NOT_ALLOWED, f"{unknown[0].path}.provider", text)
    root = allowlist.kind_of(nodes[0].provider)
    if root is not None and root not in kinds:
        cannot = "be served" if kinds == SERVED else f"stand for a {kinds[0]}"
        text = f"{nodes[0].provider!r} is a {root}, which cannot {cannot}; use one of {', '.join(wanted)}."
        yield Finding(Reason.INVALID_CONFIG, f"{nodes[0].path}.provider", text)
