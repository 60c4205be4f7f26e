"""What a spec becomes once and for all: something that makes a fresh agent or team for each request, in microseconds.

Fresh, because agents and teams remember: a shared one puts the text of one user into the prompt of the next.
"""

import asyncio
import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from autogen_agentchat.base import ChatAgent, Team
from autogen_core import ComponentLoader

from prewarm_agent.framework.sharing import share
from prewarm_agent.spec import allowlist
from prewarm_agent.spec.check import PATH as COMPONENT_PATH
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.walk import components

if TYPE_CHECKING:
    from prewarm_agent.startup.resources import Resources

ENTRYPOINT_PATH = "agent.entrypoint"

Runner: TypeAlias = ChatAgent | Team


class Blueprint(Protocol):
    """Makes agents. `prove` makes the first, at start, and raises PermanentError where that cannot work."""

    async def prove(self) -> None: ...

    async def build(self, *, stream: bool) -> Runner:
        """A fresh agent or team. With `stream`, a single agent is asked to speak token by token."""
        ...


class ComponentBlueprint:
    """Loads a checked component tree in which whatever can be shared is replaced by a reference to what is."""

    def __init__(self, component: dict[str, Any], resources: "Resources") -> None:
        self._component = share(component, COMPONENT_PATH, resources.parts)
        self._streaming = self._component
        if allowlist.canonical(component["provider"]).endswith(".AssistantAgent"):
            # A team's answer is its last message, which is known when it has ended: only a single agent can stream.
            config = {**self._component["config"], "model_client_stream": True}
            self._streaming = {**self._component, "config": config}

    async def prove(self) -> None:
        findings: list[Finding] = []
        for node in reversed(list(components(self._component, COMPONENT_PATH))):
            if any(finding.path.startswith(node.path) for finding in findings):
                continue  # it cannot be built because a part of it cannot; the part is the finding
            try:
                ComponentLoader.load_component(node.value, expected=object)
            except Exception as error:
                text = f"{error}".rstrip(".") or type(error).__name__
                findings.append(Finding(Reason.INVALID_CONFIG, f"{node.path}.config", f"{text}."))
        if findings:
            raise PermanentError(findings[::-1])

    async def build(self, *, stream: bool) -> Runner:
        component = self._streaming if stream else self._component
        return cast(Runner, ComponentLoader.load_component(component, expected=object))


class FactoryBlueprint:
    """Calls the user's factory with the shared resources, for each request."""

    def __init__(self, factory: Callable[["Resources"], object], resources: "Resources") -> None:
        self._factory = factory
        self._resources = resources

    async def prove(self) -> None:
        try:
            first, second = await self.build(stream=False), await self.build(stream=False)
        except PermanentError as error:
            raise PermanentError([_at_entrypoint(finding) for finding in error.findings]) from error
        except Exception as error:
            text = f"the factory raised {type(error).__name__}: {error}."
            raise PermanentError([Finding(Reason.FACTORY_FAILED, ENTRYPOINT_PATH, text)]) from error
        if first is second:
            raise remembering("the factory returned the same object twice")

    async def build(self, *, stream: bool) -> Runner:  # noqa: ARG002 - the factory decides whether its agent streams
        made = self._factory(self._resources)
        if inspect.isawaitable(made):
            made = await made
        if not isinstance(made, ChatAgent | Team):
            raise TypeError(f"it returned {type(made).__name__}, not an AutoGen agent or team")
        return made


async def load_factory(entrypoint: str) -> Callable[["Resources"], object]:
    """Imports `module:factory`, in a thread, since a user's imports may take seconds. Raises PermanentError."""
    module_name, _, name = entrypoint.partition(":")
    try:
        module = await asyncio.to_thread(importlib.import_module, module_name)
    except ModuleNotFoundError as error:
        text = f"{error}; put the module where Python finds it, on PYTHONPATH or in the image's folder /app."
        raise PermanentError([Finding(Reason.MODULE_NOT_FOUND, ENTRYPOINT_PATH, text)]) from error
    except Exception as error:
        text = f"importing {module_name} raised {type(error).__name__}: {error}."
        raise PermanentError([Finding(Reason.FACTORY_FAILED, ENTRYPOINT_PATH, text)]) from error
    factory = getattr(module, name, None)
    if not callable(factory):
        text = f"module {module_name} has no function {name!r}."
        raise PermanentError([Finding(Reason.FACTORY_FAILED, ENTRYPOINT_PATH, text)])
    return cast(Callable[["Resources"], object], factory)


def remembering(evidence: str) -> PermanentError:
    """What ends the start of a factory whose agents outlive a request, of which `evidence` is the proof."""
    text = (
        f"{evidence}, so users would read each other's texts; build the agent, and every member of a team, inside the "
        "factory and share clients through Resources."
    )
    return PermanentError([Finding(Reason.FACTORY_FAILED, ENTRYPOINT_PATH, text)])


def _at_entrypoint(finding: Finding) -> Finding:
    return Finding(finding.reason, ENTRYPOINT_PATH, str(finding))
