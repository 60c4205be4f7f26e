"""Which modules a start has to import: what every agent needs, and of the rest what its document names."""

import json
from pathlib import Path

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.walk import components

_ALWAYS = (
    "autogen_agentchat.agents",
    "autogen_agentchat.conditions",
    "autogen_agentchat.teams",
    "autogen_agentchat.tools",
)
# What a factory in Python most likely asks for; the document does not tell.
_OF_A_FACTORY = "autogen_ext.models.openai"
# What a request can reach. They come last, since they import the framework.
_OWN = (
    "prewarm_agent.metrics",
    "prewarm_agent.spec.check",
    "prewarm_agent.framework.blueprint",
    "prewarm_agent.framework.session",
    "prewarm_agent.serve.endpoints",
    "prewarm_agent.startup.rehearsal",
    "prewarm_agent.startup.resources",
    "prewarm_agent.startup.warmup",
)


def modules_for(document: Path) -> list[str]:
    """The modules to import, in order, for an agent spec or a pool document.

    A vendor's client costs up to a second of CPU, so only those are imported that the document names; anything that is
    not on the allow-list is not. A document that cannot be read names nothing here: it is refused when it is checked.
    """
    named = _named_in(document)
    return [*_ALWAYS, *dict.fromkeys(named), *_OWN]


def _named_in(document: Path) -> list[str]:
    try:
        tree = json.loads(document.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    providers = {allowlist.canonical(component.provider) for component in components(tree, "")}
    classes = sorted(provider for provider in providers if provider in allowlist.PROVIDERS)
    kinds = {allowlist.PROVIDERS[provider] for provider in classes}
    modules = [provider.rpartition(".")[0] for provider in classes if provider != allowlist.NAMED_MODEL]
    if allowlist.Kind.MODEL not in kinds:
        modules.append(_OF_A_FACTORY)
    return modules
