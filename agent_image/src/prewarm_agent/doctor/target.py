"""What the user names on the command line: how to build it, and how to ask it something."""

import importlib
import inspect
import json
import sys
from asyncio import to_thread
from collections.abc import Callable
from typing import Any, cast

from autogen_agentchat.base import ChatAgent, Team

_TEXT_NAMES = ("text", "message", "task", "prompt")
QUESTION = "Say hello. (This text was sent by prewarm-agent doctor, request {number}.)"


class NoTarget(Exception):
    """The module or the object in it is not what a doctor can look at; one sentence."""


class PersonAsked(Exception):
    """A run asks a person for a word, who is not there."""


def refuse_people() -> None:
    """From now on a UserProxyAgent raises PersonAsked instead of waiting, perhaps for ever.

    Where the user's module has imported it: what it imports later is part of what is measured.
    """
    agents = sys.modules.get("autogen_agentchat.agents")
    if agents is None:
        return

    async def refuse(agent: Any, prompt: str, cancellation_token: Any) -> str:  # noqa: ARG001 - AutoGen's signature
        raise PersonAsked(f"the UserProxyAgent {agent.name} waits for a person, for ever if they are gone")

    agents.UserProxyAgent._get_input = refuse


class Target:
    """An agent, a factory of agents, a function that answers a text, or an ASGI application."""

    def __init__(self, value: Any, request: str | None) -> None:
        self._value = value
        self._request = request
        self._agents: list[Any] = []
        self.kind = _kind(value, request)

    @property
    def shares_an_agent(self) -> bool:
        """Whether one agent or team has answered two requests."""
        return len(self._agents) > len({id(agent) for agent in self._agents})

    async def build(self, resources: Any) -> None:
        """What happens before the first request: for a factory one call, as `prewarm-agent serve` makes it."""
        if self.kind == "factory":
            await self._make(resources)

    async def ask(self, number: int, resources: Any) -> None:
        """One request. Raises what the user's code raises."""
        text = QUESTION.format(number=number)
        match self.kind:
            case "handler":
                # A function that is not async runs in a thread, as web frameworks run it.
                handler = self._value
                answer = handler(text) if inspect.iscoroutinefunction(handler) else to_thread(handler, text)
                await _awaited(await answer)
            case "application":
                await _ask_application(self._value, cast(str, self._request), text)
            case _:
                agent = self._value if self.kind == "agent" else await self._make(resources)
                self._agents.append(agent)
                await agent.run(task=text)

    async def _make(self, resources: Any) -> Any:
        takes = inspect.signature(self._value).parameters
        made = await _awaited(self._value(resources) if takes else self._value())
        if not isinstance(made, ChatAgent | Team):
            raise NoTarget(
                f"{self._value.__name__} returned {type(made).__name__}, no AutoGen agent or team: name a factory that "
                "returns one, a function of `text` that answers it, or an ASGI application with --request."
            )
        return made


def load(name: str, request: str | None) -> Target:
    """Import `module:object`. Raises NoTarget; what the import itself raises goes through."""
    module_name, _, attribute = name.partition(":")
    if not attribute:
        raise NoTarget(f"{name!r} is not of the form module:factory.")
    module = importlib.import_module(module_name)
    try:
        return Target(getattr(module, attribute), request)
    except AttributeError:
        raise NoTarget(f"module {module_name} has no {attribute!r}.") from None


def _kind(value: Any, request: str | None) -> str:
    if isinstance(value, ChatAgent | Team):
        return "agent"
    if request is not None:
        return "application"
    if not callable(value):
        raise NoTarget(
            f"it is a {type(value).__name__}, no AutoGen object was found in it: name a factory or an agent."
        )
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except ValueError:
        raise NoTarget(f"it is a {type(value).__name__}: name a function of your own.") from None
    if hasattr(value, "wsgi_app") or [each.name for each in parameters] == ["environ", "start_response"]:
        raise NoTarget(
            "it is a WSGI application (Flask, Django), and no AutoGen object was found in it: name a function of "
            "`text` that answers it as a handler does."
        )
    required = [each for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    if len(required) == 3 or hasattr(value, "routes"):
        raise NoTarget('it looks like an ASGI application: add --request \'POST /path {"message": "TEXT"}\'.')
    if len(required) > 1:
        raise NoTarget(f"it takes {len(required)} parameters: name a function of none, of `resources`, or of `text`.")
    takes_text = bool(parameters) and (parameters[0].annotation is str or parameters[0].name in _TEXT_NAMES)
    return "handler" if takes_text else "factory"


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def _ask_application(application: Callable[..., Any], request: str, text: str) -> None:
    """`request` is `METHOD /path BODY`, in whose body TEXT stands for the question."""
    import httpx

    method, _, rest = request.partition(" ")
    path, _, body = rest.partition(" ")
    content = body.replace("TEXT", json.dumps(text)[1:-1])
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://doctor", timeout=60) as client:
        headers = {"content-type": "application/json"} if content else {}
        answer = await client.request(method, path, content=content, headers=headers)
    if answer.status_code >= 400:
        raise NoTarget(f"{method} {path} was answered {answer.status_code}: {answer.text[:200]}")
