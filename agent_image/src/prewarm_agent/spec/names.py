"""Names that AutoGen refuses when it builds, or that lead nowhere: told before anything is built."""

from collections.abc import Iterator

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.document import AgentSpec
from prewarm_agent.spec.findings import Finding, Reason
from prewarm_agent.spec.walk import Component, components


def of_agents(nodes: list[Component]) -> Iterator[Finding]:
    """Agents are called as Python identifiers are, and members of a team differently."""
    for node in nodes:
        name, kind = name_of(node.value), allowlist.kind_of(node.provider)
        if kind is allowlist.Kind.AGENT and name is not None and not name.isidentifier():
            text = f"is {name!r}; use letters, digits and _ only, and no digit at the start."
            yield Finding(Reason.INVALID_CONFIG, f"{node.path}.config.name", text)
        if kind is allowlist.Kind.TEAM:
            yield from _members(node)


def _members(team: Component) -> Iterator[Finding]:
    members = team.config.get("participants")
    seen: set[str] = set()
    for index, member in enumerate(members if isinstance(members, list) else ()):
        name = name_of(member)
        if name is not None and name in seen:
            text = f"is {name!r}, as of another member of the team; give each member a name of its own."
            yield Finding(Reason.INVALID_CONFIG, f"{team.path}.config.participants[{index}].config.name", text)
        elif name is not None:
            seen.add(name)


def of_models(spec: AgentSpec) -> Iterator[Finding]:
    """References to models that the spec does not declare. A spec that declares none may mean those of a pool.

    In `agent.config` it is a warning: only the factory knows what it does with it.
    """
    declared = sorted({model.name for model in spec.models})
    if not declared:
        return
    agent = spec.agent
    for part, path, warning in ((agent.component, "agent.component", False), (agent.config, "agent.config", True)):
        for node in components(part, path):
            if node.provider == allowlist.NAMED_MODEL and (name := node.config.get("name")) not in (None, *declared):
                text = f"there is no model named {name!r}; use one of: {', '.join(declared)}."
                yield Finding(Reason.INVALID_CONFIG, f"{node.path}.config.name", text, warning)


def name_of(component: object) -> str | None:
    """The name in the config of something that should be a component."""
    config = component.get("config") if isinstance(component, dict) else None
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None
