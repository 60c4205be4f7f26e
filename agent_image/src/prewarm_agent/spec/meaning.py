"""What a spec means and its author probably did not: it loads, and behaves otherwise than it reads. Warnings only."""

from collections.abc import Iterator
from typing import Any

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, Reason
from prewarm_agent.spec.walk import Component


def warnings(nodes: list[Component]) -> Iterator[Finding]:
    """One sentence for each."""
    for node in nodes:
        config = node.value.get("config")
        if not isinstance(config, dict):
            continue
        if allowlist.kind_of(node.provider) is allowlist.Kind.TEAM:
            yield from _message_limits(node, config)
        yield from _mentions(node, config)
        yield from _key_in_the_spec(node, config)


def _message_limits(team: Component, config: dict[str, Any]) -> Iterator[Finding]:
    """max_messages counts the user's message, too."""
    members = config.get("participants")
    condition = config.get("termination_condition")
    if not isinstance(members, list) or not isinstance(condition, dict):
        return
    for path, limit in _limits(condition, f"{team.path}.config.termination_condition"):
        if limit <= 1:
            yield _warning(path, f"is {limit}, which the user's message alone reaches: no member ever speaks.")
        elif limit <= len(members):
            text = f"is {limit}, the user's message included, so not all of the {len(members)} members come to speak."
            yield _warning(path, text)


def _limits(condition: dict[str, Any], path: str) -> Iterator[tuple[str, int]]:
    config = condition.get("config")
    if not isinstance(config, dict):
        return
    limit = config.get("max_messages")
    if isinstance(limit, int):
        yield f"{path}.config.max_messages", limit
    nested = config.get("conditions")
    if str(condition.get("provider")).endswith(".OrTerminationCondition") and isinstance(nested, list):
        for index, each in enumerate(nested):
            if isinstance(each, dict):
                yield from _limits(each, f"{path}.config.conditions[{index}]")


def _mentions(node: Component, config: dict[str, Any]) -> Iterator[Finding]:
    if not node.provider.endswith(".TextMentionTermination") or not isinstance(text := config.get("text"), str):
        return
    path = f"{node.path}.config.text"
    if not text.strip():
        yield _warning(path, "is empty, which every message mentions: the run ends with the first one.")
    elif text[0] == text[-1] and text[0] in "\"'`" and len(text) > 1:
        yield _warning(path, f"is {text}, quotes included, which a model hardly ever writes: leave the quotes out.")


def _key_in_the_spec(node: Component, config: dict[str, Any]) -> Iterator[Finding]:
    key = config.get("api_key")
    if isinstance(key, str) and key.strip("*"):
        text = "is in the spec, where everyone reads it who may read the object: leave it out and name a Secret."
        yield _warning(f"{node.path}.config.api_key", text)


def _warning(path: str, text: str) -> Finding:
    return Finding(Reason.INVALID_CONFIG, path, text, warning=True)
