"""Components of earlier AutoGen releases, brought to what 0.7.5 reads; each change is a warning.

The rule for versions: a component_version that is missing or null means the present one, as in AutoGen; 0 and 1 of a
class that has moved on are migrated; a later one is refused.
"""

import re
from collections.abc import Iterator
from typing import Any

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, Reason
from prewarm_agent.spec.walk import Component, components

Object = dict[str, Any]

ASSISTANT = "autogen_agentchat.agents.AssistantAgent"
VERSIONS = {ASSISTANT: 2}
"""The present component_version of classes that have had more than one; of all others it is 1."""

_ASSISTANT_DEFAULTS = {
    "description": "An agent that provides assistance with ability to use tools.",
    "reflect_on_tool_use": False,
    "tool_call_summary_format": "{result}",
}
_MODEL_INFO_DEFAULTS = {
    "vision": False,
    "function_calling": False,
    "json_output": False,
    "structured_output": False,
    "family": "unknown",
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the OpenAI API takes as the name of who speaks; AutoGen raises for any other, at the first request."""


def migrate(component: Object, path: str) -> tuple[Object, list[Finding]]:
    """A copy that the present release reads, and what was changed or cannot be."""
    migrated = _copied(component)
    findings: list[Finding] = []
    for node in components(migrated, path):
        version = node.value.get("component_version")
        if isinstance(version, int) and version < VERSIONS.get(node.provider, 1):
            findings += _assistant(node)
        findings += _version(node)
        findings += _model_info(node)
    return migrated, [*findings, *_ascii_names(migrated, path)]


def _version(node: Component) -> Iterator[Finding]:
    present = VERSIONS.get(node.provider, 1)
    version = node.value.get("component_version")
    if version in (None, present) or allowlist.kind_of(node.provider) is None:
        return
    at = f"{node.path}.component_version"
    if not isinstance(version, int) or version > present:
        text = f"is {version}, but AutoGen 0.7.5 reads {present}; export the component again with that release."
        yield Finding(Reason.INVALID_CONFIG, at, text)
        return
    node.value["component_version"] = present
    yield _warning(at, f"{version} was read as {present}.")


def _assistant(node: Component) -> Iterator[Finding]:
    """Version 1 had no required texts, and one workbench instead of a list of them."""
    config = node.value.get("config")
    if node.provider != ASSISTANT or not isinstance(config, dict):
        return
    if isinstance(config.get("workbench"), dict):
        config["workbench"] = [config["workbench"]]
        yield _warning(f"{node.path}.config.workbench", "was one workbench and is a list of one now.")
    for key, default in _ASSISTANT_DEFAULTS.items():
        if config.get(key) is None:
            config[key] = default
            yield _warning(f"{node.path}.config.{key}", f"is missing; {default!r} was taken.")


def _model_info(node: Component) -> Iterator[Finding]:
    config = node.value.get("config")
    info = config.get("model_info") if isinstance(config, dict) else None
    if allowlist.kind_of(node.provider) is not allowlist.Kind.MODEL or not isinstance(info, dict):
        return
    for key, default in _MODEL_INFO_DEFAULTS.items():
        if key not in info:
            info[key] = default
            yield _warning(f"{node.path}.config.model_info.{key}", f"is missing; {default!r} was taken.")


def _ascii_names(tree: Object, path: str) -> Iterator[Finding]:
    """Names that a model's API refuses, renamed wherever they stand: members are referred to by name."""
    renamed: dict[str, str] = {}
    for node in components(tree, path):
        config = node.value.get("config")
        name = config.get("name") if isinstance(config, dict) else None
        if allowlist.kind_of(node.provider) is not allowlist.Kind.AGENT or not isinstance(name, str):
            continue
        if name.isidentifier() and not _NAME.fullmatch(name) and name not in renamed:
            renamed[name] = f"{re.sub('[^a-zA-Z0-9_]', '_', name)[:56]}_{len(renamed) + 1}"
            text = f"{name!r} is called {renamed[name]!r} towards the model, whose API takes only a-z, A-Z, 0-9, _, -."
            yield _warning(f"{node.path}.config.name", text)
    if renamed:
        _rename(tree, renamed)


_WITHOUT_AGENTS = frozenset({allowlist.Kind.TOOL, allowlist.Kind.WORKBENCH, allowlist.Kind.MODEL})
"""What refers to no agent by name, and has words of its own: parameters of tools, headers, texts."""


def _rename(node: Any, names: dict[str, str]) -> None:
    """In place: every key and text that is such a name. A loop, since a spec may be deeper than Python recurses."""
    stack = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, dict) and allowlist.kind_of(str(here.get("provider"))) in _WITHOUT_AGENTS:
            continue
        if isinstance(here, dict):
            for key in [key for key in here if key in names]:
                here[names[key]] = here.pop(key)
            entries: Any = here.items()
        elif isinstance(here, list):
            entries = enumerate(here)
        else:
            continue
        for key, value in list(entries):
            if isinstance(value, str):
                here[key] = names.get(value, value)
            else:
                stack.append(value)


def _copied(tree: Object) -> Object:
    """A deep copy, by a loop of its own for the same reason."""
    copy: Object = dict(tree)
    stack: list[Any] = [copy]
    while stack:
        node = stack.pop()
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if isinstance(value, dict | list):
                node[key] = value.copy()
                stack.append(node[key])
    return copy


def _warning(path: str, text: str) -> Finding:
    return Finding(Reason.INVALID_CONFIG, path, text, warning=True)
