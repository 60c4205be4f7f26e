"""What people hand in where an agent or team is asked for: told by its shape, unwrapped or refused in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prewarm_agent.spec.findings import Finding, PermanentError, Reason

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A shape that is no agent: how it is recognised, what it is called, and what to do with it."""

    matches: Callable[[Object], bool]
    name: str
    remedy: str


_KEYS_OF_2024 = ("team_type", "agent_type", "model_type", "termination_type", "tool_type")
_KEYS_OF_0_2 = (
    "workflow", "sender", "receiver", "llm_config", "config_list", "skills", "human_input_mode", "summary_method"
)  # fmt: skip


def _is_gallery(value: Object) -> bool:
    """Its components have been a list, then an object, then one in the `config` of a row of Studio's database."""
    inner = value.get("config")
    rows = (value, inner) if isinstance(inner, Mapping) else (value,)
    return any(isinstance(row.get("items"), list | dict) or isinstance(row.get("components"), dict) for row in rows)


FORMATS = (
    Format(
        lambda value: value.get("kind") == "AgentDeployment",
        "a whole AgentDeployment",
        'take spec.agent.component or, with an entrypoint, {"name": ..., "agent": spec.agent}; or `kubectl apply` it',
    ),
    Format(
        _is_gallery,
        "an AutoGen Studio gallery, which holds many components",
        "export one team or agent of it",
    ),
    Format(
        lambda value: any(key in value for key in _KEYS_OF_2024),
        "a component of AutoGen Studio from 2024",
        "open it in a Studio of AutoGen 0.4.2 or later and export it again",
    ),
    Format(
        lambda value: any(key in value for key in _KEYS_OF_0_2) or {"content", "libraries"} <= value.keys(),
        "a workflow, agent or skill of AutoGen 0.2",
        "build the agent anew: 0.2 and 0.4 share no format; docs/guide/specs.md has an example",
    ),
)
"""In the order in which they are tried. None of them names a provider."""


def component_of(value: Object, path: str) -> tuple[dict[str, Any], str]:
    """The component in `value`, without the envelope around it, and its path. Raises PermanentError."""
    while "provider" not in value and isinstance(value.get("component"), Mapping):
        value, path = value["component"], f"{path}.component"
    if "provider" not in value:
        for each in FORMATS:
            if each.matches(value):
                text = f"is {each.name}, which cannot be served: {each.remedy}."
                raise PermanentError([Finding(Reason.NOT_SERVABLE, path, text)])
    return dict(value), path
