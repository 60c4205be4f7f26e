"""What a spec means and its author probably did not: it loads, and behaves otherwise than it reads. Warnings only."""

import os
from collections.abc import Iterator
from typing import Any

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, Reason
from prewarm_agent.spec.names import name_of
from prewarm_agent.spec.walk import Component, components


def warnings(nodes: list[Component]) -> Iterator[Finding]:
    """One sentence for each."""
    for node in nodes:
        if allowlist.kind_of(node.provider) is allowlist.Kind.TEAM:
            yield from _no_end(node)
            yield from _message_limits(node)
            yield from _sources(node)
        yield from _mentions(node)
        yield from _key_in_the_spec(node)
        yield from _no_host(node)


def _no_end(team: Component) -> Iterator[Finding]:
    endless = team.provider.rpartition(".")[2] in ("RoundRobinGroupChat", "SelectorGroupChat", "Swarm")
    if endless and team.config.get("termination_condition") is None and team.config.get("max_turns") is None:
        text = "has neither termination_condition nor max_turns, so each run goes on until the request's deadline."
        yield _warning(f"{team.path}.config", text)


def _message_limits(team: Component) -> Iterator[Finding]:
    """max_messages counts the user's message, too."""
    members = team.config.get("participants")
    condition = team.config.get("termination_condition")
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


def _sources(team: Component) -> Iterator[Finding]:
    """Conditions that wait for a speaker who is not there, or who has spoken before the first member does."""
    members = team.config.get("participants")
    named = [name_of(member) for member in members] if isinstance(members, list) else [None]
    if None in named:  # a team within the team need not say its name
        return
    for node in components(team.config.get("termination_condition"), f"{team.path}.config.termination_condition"):
        sources, path = node.config.get("sources"), f"{node.path}.config.sources"
        if not node.provider.endswith(".SourceMatchTermination") or not isinstance(sources, list):
            continue
        if "user" in sources:
            yield _warning(path, "names the user, whose message begins the run: no member ever speaks.")
        elif not set(map(str, sources)) & {*named, "MagenticOneOrchestrator"}:
            yield _warning(path, f"is {sources}, none of whom is a member of the team, so it never ends a run.")


def _mentions(node: Component) -> Iterator[Finding]:
    if not node.provider.endswith(".TextMentionTermination") or not isinstance(text := node.config.get("text"), str):
        return
    path = f"{node.path}.config.text"
    if not text.strip():
        yield _warning(path, "is empty, which every message mentions: the run ends with the first one.")
    elif text[0] == text[-1] and text[0] in "\"'`" and len(text) > 1:
        yield _warning(path, f"is {text}, quotes included, which a model hardly ever writes: leave the quotes out.")


def _key_in_the_spec(node: Component) -> Iterator[Finding]:
    key = node.config.get("api_key")
    if isinstance(key, str) and key.strip("*"):
        text = "is in the spec, where everyone reads it who may read the object: leave it out and name a Secret."
        yield _warning(f"{node.path}.config.api_key", text)


def _no_host(node: Component) -> Iterator[Finding]:
    ollama = allowlist.canonical(node.provider).endswith(".OllamaChatCompletionClient")
    if ollama and not node.config.get("host") and not os.environ.get("OLLAMA_HOST"):
        text = "is missing, so http://127.0.0.1:11434 is asked, inside a pod the pod itself: name a Service."
        yield _warning(f"{node.path}.config.host", text)


def _warning(path: str, text: str) -> Finding:
    return Finding(Reason.INVALID_CONFIG, path, text, warning=True)
