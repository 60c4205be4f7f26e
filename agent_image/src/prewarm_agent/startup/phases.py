"""The phases of a start, in order. To add one, write an async function of Startup and enter it in PHASES."""

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from prewarm_agent.admission.gate import Gate
from prewarm_agent.serve.users import UserApplication
from prewarm_agent.settings import Settings
from prewarm_agent.startup.state import Lifecycle

# The phases import what they need when they run: all of it is heavy, and the ports are bound and answer before that.
if TYPE_CHECKING:
    from prewarm_agent.framework.blueprint import Blueprint
    from prewarm_agent.spec.document import AgentSpec
    from prewarm_agent.spec.walk import Component
    from prewarm_agent.startup.resources import Resources

logger = logging.getLogger(__name__)


@dataclass
class Startup:
    """What the phases hand to each other. A phase may read what those before it have set."""

    settings: Settings
    lifecycle: Lifecycle
    spec: "AgentSpec" = field(init=False)
    resources: "Resources" = field(init=False)
    blueprint: "Blueprint" = field(init=False)
    background: set[asyncio.Task[None]] = field(default_factory=set)
    # The models whose API answered when it was last asked, by name: a pool's are connected before there is an agent.
    connected: set[str] = field(default_factory=set)
    attempt: asyncio.Task[dict[str, str]] | None = None

    @property
    def step_seconds(self) -> float:
        """How long a step that depends on others may take; the kubelet must not be the one to end a start that hangs.

        There are four in a row, in the time that the startup probe gives the whole start.
        """
        return self.spec.warmup.timeout_seconds / 5

    @property
    def has_agent(self) -> bool:
        return hasattr(self, "blueprint")


async def import_framework(startup: Startup) -> None:
    from prewarm_agent.framework import loading, tool_threads
    from prewarm_agent.startup import accelerate

    tool_threads.install(asyncio.get_running_loop())
    # A team of two would write 36 spans a run, with random names; it costs 1-2 ms of CPU. Set it to false to get them.
    os.environ.setdefault("AUTOGEN_DISABLE_RUNTIME_TRACING", "true")
    settings = startup.settings
    modules = loading.modules_for(settings.pool_path or settings.spec_path)
    # In a thread: the probe port answers meanwhile.
    outcome = await asyncio.to_thread(accelerate.import_modules, modules, accelerate=settings.accelerate)

    from prewarm_agent import metrics
    from prewarm_agent.observe import calls, traces

    calls.watch_tools()
    if traces.wanted():
        await asyncio.to_thread(traces.configure)
    metrics.import_accelerated.labels(outcome=outcome).set(1)


async def read_config(startup: Startup) -> None:
    from prewarm_agent.spec import check, document

    startup.spec = spec = document.read(startup.settings.spec_path)
    for warning in check.check_spec(spec):
        logger.warning("spec warning", extra={"path": warning.path, "text": warning.text})


async def build_clients(startup: Startup) -> None:
    from prewarm_agent import metrics
    from prewarm_agent.framework.upstream import Outcome
    from prewarm_agent.spec import allowlist
    from prewarm_agent.startup.resources import Resources

    load = startup.lifecycle.load

    def on_model_call(outcome: Outcome) -> None:
        load.model_call(ok=outcome.well)
        metrics.model_calls.labels(outcome=outcome).inc()

    startup.resources = Resources(
        connections=startup.spec.concurrency_limit,
        read_timeout_seconds=startup.settings.request_timeout_seconds,
        on_model_call=on_model_call,
    )
    models = startup.resources.parts.models
    _all(
        *(
            partial(models.add, model.name, model.component, f"models[{index}].component")
            for index, model in enumerate(startup.spec.models)
        ),
        *(
            partial(models.get, component.value, component.path)
            for component in _components(startup)
            if allowlist.kind_of(component.provider) is allowlist.Kind.MODEL
        ),
    )


async def build_tools(startup: Startup) -> None:
    """Makes the spec's tools, and waits for their servers to name theirs."""
    from prewarm_agent.framework.sharing import MCP_WORKBENCH
    from prewarm_agent.framework.tools import FUNCTION_TOOL, HTTP_TOOL

    parts = startup.resources.parts
    builders = {MCP_WORKBENCH: parts.workbench, FUNCTION_TOOL: parts.tool, HTTP_TOOL: parts.tool}
    _all(
        *(
            partial(builders[component.provider], component.value, component.path)
            for component in _components(startup)
            if component.provider in builders
        )
    )
    if parts.workbenches:
        await _prove_tool_servers(startup)


async def _prove_tool_servers(startup: Startup) -> None:
    from prewarm_agent.framework import mcp
    from prewarm_agent.framework.mcp_connection import Unavailable

    # Whatever `required` says of a model's API: an agent without its tools would fail its users, or make things up.
    workbenches, lacks = startup.resources.parts.workbenches, startup.lifecycle.lacks
    while True:
        try:
            await mcp.prove(workbenches, timeout_seconds=startup.step_seconds, report=lacks)
        except Unavailable as error:
            logger.warning("tool servers missing", extra={"error": str(error)})
        else:
            return


def _components(startup: Startup) -> "Iterator[Component]":
    from prewarm_agent.spec.check import PATH
    from prewarm_agent.spec.walk import components

    return components(startup.spec.agent.component, PATH)


def _all(*builders: Callable[[], object]) -> None:
    """Calls all of them. Raises PermanentError with the findings of those that raised it."""
    from prewarm_agent.spec.findings import Finding, PermanentError

    findings: list[Finding] = []
    for build in builders:
        try:
            build()
        except PermanentError as error:
            findings.extend(error.findings)
    if findings:
        raise PermanentError(findings)


async def prove_agents(startup: Startup) -> None:
    from prewarm_agent.framework import blueprint

    source = startup.spec.agent
    if source.component is not None:
        startup.blueprint = blueprint.ComponentBlueprint(source.component, startup.resources)
    else:
        assert source.entrypoint is not None  # the document has exactly one of them
        startup.resources.config = source.config or {}
        factory = await blueprint.load_factory(source.entrypoint)
        startup.blueprint = blueprint.FactoryBlueprint(factory, startup.resources)
    await startup.blueprint.prove()


async def connect(startup: Startup) -> None:
    from prewarm_agent.startup import warmup

    await warmup.prove(startup)


async def warm_up(startup: Startup) -> None:
    from prewarm_agent.startup import rehearsal

    await rehearsal.rehearse(startup.blueprint, timeout_seconds=startup.step_seconds)
    await connect(startup)


async def freeze(startup: Startup) -> None:  # noqa: ARG001 - every phase has the same signature
    # 100,000 objects that live as long as the process: a full collection would look at each of them, for 50 ms.
    gc.collect()
    gc.freeze()


Phase = Callable[[Startup], Awaitable[None]]

PHASES: list[tuple[str, Phase]] = [
    ("import", import_framework),
    ("config", read_config),
    ("clients", build_clients),
    ("tools", build_tools),
    ("agents", prove_agents),
    ("warm-up", warm_up),
    ("freeze", freeze),
]


async def start(startup: Startup, users: UserApplication) -> None:
    """Runs the phases and opens the port for users. Raises PermanentError when the spec can never be served."""
    await run(startup, PHASES)
    open_port(startup, users)


async def run(startup: Startup, phases: list[tuple[str, Phase]]) -> None:
    """Runs phases in order, and records and logs how long each took. May be called again for more of them."""
    for name, phase in phases:
        with startup.lifecycle.measured(name):
            await phase(startup)
        seconds = round(startup.lifecycle.phase_seconds[name], 4)
        logger.info("phase finished", extra={"phase": name, "seconds": seconds})


def open_port(startup: Startup, users: UserApplication) -> None:
    """Gives the port for users the agent that the phases have made."""
    from prewarm_agent import metrics
    from prewarm_agent.observe.watchdog import Watchdog
    from prewarm_agent.serve.endpoints import endpoints
    from prewarm_agent.serve.running import Running

    spec, load = startup.spec, startup.lifecycle.load
    metrics.requests_in_flight.set_function(lambda: load.in_flight)
    metrics.requests_queued.set_function(lambda: load.queued)
    gate = Gate(spec.concurrency_limit, load)
    running = Running(gate, request_timeout_seconds=startup.settings.request_timeout_seconds)
    # Not before: imports hold the interpreter, and nobody is served yet.
    watchdog = Watchdog(metrics.event_loop_lag_seconds.observe, startup.lifecycle.judged)
    startup.background.add(asyncio.create_task(watchdog.run()))
    users.open(endpoints(spec.name, startup.blueprint, running), running)
    startup.lifecycle.warmed()
    logger.info("warm", extra={"agent": spec.name, "seconds": startup.lifecycle.time_to_warm_seconds})
