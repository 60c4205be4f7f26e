"""Splits a spec's tree into what is built once and what each request gets for itself."""

from typing import Any

from prewarm_agent.framework import terminations
from prewarm_agent.framework.parts import Parts
from prewarm_agent.framework.shared_reference import reference
from prewarm_agent.framework.tools import FUNCTION_TOOL, HTTP_TOOL
from prewarm_agent.spec import allowlist

MCP_WORKBENCH = "autogen_ext.tools.mcp.McpWorkbench"


def share(node: Any, path: str, parts: Parts) -> Any:
    """A copy of the tree that refers to `parts` for models, tools, workbenches and message formats.

    What remembers (agents, teams, contexts, terminations, tools made of agents) stays, to be built for each request.
    Raises PermanentError for what cannot be built; `path` is for its findings.
    """
    if isinstance(node, dict):
        is_component = isinstance(node.get("provider"), str) and isinstance(node.get("config"), dict)
        shared = _shared(node, path, parts) if is_component else None
        return shared or {key: share(value, f"{path}.{key}", parts) for key, value in _own(node).items()}
    if isinstance(node, list):
        return [share(value, f"{path}[{index}]", parts) for index, value in enumerate(node)]
    return node


def _shared(node: dict[str, Any], path: str, parts: Parts) -> dict[str, Any] | None:
    kind = allowlist.kind_of(node["provider"])
    if kind is allowlist.Kind.MODEL:
        model = parts.models.get(node, path)
        return reference(f"model {model.name}", model.client)
    if node["provider"] == MCP_WORKBENCH:
        return _reference(parts.workbench(node, path))
    if node["provider"] in (FUNCTION_TOOL, HTTP_TOOL):
        return _reference(parts.tool(node, path))
    if kind is allowlist.Kind.MESSAGE_FORMAT:
        return _reference(parts.message_format(node, path))
    return None


def _reference(shared: object) -> dict[str, Any]:
    return reference(f"{type(shared).__name__} {id(shared)}", shared)


def _own(node: dict[str, Any]) -> dict[str, Any]:
    provider = node.get("provider")
    other = terminations.replacement(provider) if isinstance(provider, str) else None
    return {**node, "provider": other} if other else node
