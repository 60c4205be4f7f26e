"""What is put into the process that runs the user's code: counters of what it builds, connects to and waits for.

Each instrument writes into the phase that is under way. They are put in once, after the frameworks were imported and
before the user's own module is.
"""

import asyncio
import functools
import os
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from prewarm_agent.doctor.observation import Calls, Client, Observation

T = TypeVar("T")

_PYTHONS_OWN = tuple({os.path.realpath(path) for path in (sys.prefix, sys.base_prefix)})

_OF_THE_SDK = "uname"
"""The openai SDK asks for the platform with its first call: nothing that an author could change."""


class Recorder:
    """The observation as it grows, and the phase that is under way."""

    def __init__(self) -> None:
        self.observation = Observation()
        self.current = Calls("start")

    @contextmanager
    def phase(self, name: str) -> Iterator[Calls]:
        """Everything that happens inside belongs to a new phase."""
        self.current = Calls(name)
        self.observation.phases.append(self.current)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield self.current
        finally:
            self.current.seconds = time.perf_counter() - wall
            self.current.cpu_seconds = time.process_time() - cpu

    def built(self, kind: str) -> None:
        self.current.built[kind] = self.current.built.get(kind, 0) + 1


def install(recorder: Recorder) -> None:
    """Put all of them in. They stay for the life of the process."""
    _count_constructions(recorder)
    _watch_events(recorder)
    _time_network(recorder)


def _count_constructions(recorder: Recorder) -> None:
    import anthropic
    import openai
    from autogen_agentchat.agents import BaseChatAgent
    from autogen_agentchat.teams import BaseGroupChat
    from autogen_core.tools import FunctionTool
    from autogen_ext.tools.mcp import McpWorkbench

    clients = (openai.AsyncOpenAI, openai.OpenAI, anthropic.AsyncAnthropic, anthropic.Anthropic)
    for client in clients:
        _after(client, "close", functools.partial(_closed, recorder))
    for kind, classes in {
        "model client": clients,
        "agent": (BaseChatAgent,),
        "team": (BaseGroupChat,),
        "tool": (FunctionTool,),
        "MCP workbench": (McpWorkbench,),
        "event loop": (asyncio.BaseEventLoop,),
    }.items():
        for each in classes:
            _after(each, "__init__", functools.partial(_constructed, recorder, kind))
    _after(ssl.SSLContext, "load_verify_locations", lambda *_: recorder.built("TLS context"))
    _after(ssl.SSLContext, "load_default_certs", lambda *_: recorder.built("TLS context"))


def _constructed(recorder: Recorder, kind: str, made: Any) -> None:
    recorder.built(kind)
    if kind == "model client":
        timeout = getattr(made, "timeout", None)
        seconds = getattr(timeout, "read", timeout)
        seconds = float(seconds) if isinstance(seconds, int | float) else None
        recorder.observation.clients.append(Client(seconds, 1 + int(getattr(made, "max_retries", 0))))


def _closed(recorder: Recorder, _: Any) -> None:
    recorder.current.closed += 1


def _after(owner: Any, name: str, then: Callable[[Any], None]) -> None:
    """Call `then` with the object after each call of the method `name`."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        then(self)
        return result

    setattr(owner, name, wrapped)


def _watch_events(recorder: Recorder) -> None:
    """Python's audit events tell of connections, processes and files, whichever library makes them."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = args[1]
            if isinstance(address, tuple):
                recorder.current.connections.append(f"{address[0]}:{address[1]}")
        elif event in ("subprocess.Popen", "os.posix_spawn"):
            program = Path(str(args[0])).name
            if program != _OF_THE_SDK:
                recorder.current.processes.append(program)
        elif event == "open" and isinstance(args[0], str) and not _is_pythons(args[0]):
            written = isinstance(args[2], int) and bool(args[2] & (os.O_WRONLY | os.O_RDWR))
            recorder.current.files.append(f"{'>' if written else ''}{os.path.relpath(args[0])}")
        elif event == "os.putenv":
            recorder.current.environment_writes.append(os.fsdecode(args[0]))

    sys.addaudithook(hook)


def _is_pythons(path: str) -> bool:
    real = os.path.realpath(path)
    return path.endswith((".py", ".pyc", ".so")) or real.startswith((*_PYTHONS_OWN, "/dev", "/proc", "/etc", "/sys"))


def _time_network(recorder: Recorder) -> None:
    """DNS, TCP and TLS apart: for asyncio, and for libraries that block."""

    def add(name: str, seconds: float) -> None:
        setattr(recorder.current, name, getattr(recorder.current, name) + seconds)

    _timed_async(asyncio.BaseEventLoop, "getaddrinfo", functools.partial(add, "dns_seconds"))
    _timed_async(asyncio.SelectorEventLoop, "sock_connect", functools.partial(add, "tcp_seconds"))
    _timed_async(asyncio.BaseEventLoop, "start_tls", functools.partial(add, "tls_seconds"))
    _timed(socket.socket, "connect", functools.partial(add, "tcp_seconds"))
    _timed(ssl.SSLSocket, "do_handshake", functools.partial(add, "tls_seconds"))


def _timed_async(owner: Any, name: str, add: Callable[[float], None]) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return await original(*args, **kwargs)
        finally:
            add(time.perf_counter() - started)

    setattr(owner, name, wrapped)


def _timed(owner: Any, name: str, add: Callable[[float], None]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            add(time.perf_counter() - started)

    setattr(owner, name, wrapped)
