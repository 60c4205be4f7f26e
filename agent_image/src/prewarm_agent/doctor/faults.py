"""What makes an agent slow or unsafe, named from what was seen: pure functions, each of which finds one fault."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prewarm_agent.doctor.observation import Calls, Observation

PATIENT_SECONDS = 120.0
"""A model call that may take longer than this, repetitions included, looks like a hang to the user who waits for it."""

FIRST_STALL_SECONDS = 0.5
"""Shorter stalls of the first request alone are no fault of the agent's."""


@dataclass(frozen=True)
class Fault:
    """A name for machines, what was seen, and what to do."""

    name: str
    seen: str
    remedy: str


def find(observation: Observation) -> list[Fault]:
    """All faults of one run, in the order of what they cost."""
    return [fault for check in _CHECKS for fault in check(observation)]


def _clients_per_request(seen: Observation) -> Iterator[Fault]:
    later = seen.requests[1:]
    count = sum(request.built.get("model client", 0) for request in later)
    if later and count >= len(later):
        contexts = sum(request.built.get("TLS context", 0) for request in later)
        yield Fault(
            "ClientPerRequest",
            f"{count} model clients and {contexts} TLS contexts were built by {len(later)} requests: each costs about "
            "26 ms of CPU and a new connection to the model",
            "build the client once, at import or through the factory's Resources, and share it: it is safe in one "
            "event loop; a fresh agent for each request is right and costs next to nothing",
        )
    elif later and not count and seen.requests[0].built.get("model client"):
        yield Fault(
            "ClientOnFirstRequest",
            "the first request built the model client, and the later ones did not",
            "build it before the first request: in the factory, or at import",
        )


def _agents_that_remember(seen: Observation) -> Iterator[Fault]:
    if seen.leaked:
        yield Fault(
            "SharedAgent",
            "the text of an earlier request was in the prompt of a later one: users read each other's texts, and "
            "prompts grow without bound",
            "build the agent or team for every request (20 us); share the model client instead",
        )
    elif seen.shared_agent:
        yield Fault(
            "SharedAgent",
            "one agent or team answered several requests: it remembers what it reads",
            "build the agent or team for every request (20 us); share the model client instead",
        )


def _network_on_first_use(seen: Observation) -> Iterator[Fault]:
    if len(seen.requests) < 2:
        return
    first, later = seen.requests[0], seen.requests[1:]
    again = {address for request in later for address in request.connections}
    once = [address for address in dict.fromkeys(first.connections) if address not in again]
    if once:
        yield Fault(
            "NetworkOnFirstUse",
            f"the first request connected to {_some(once)}, the later ones did not: the first user waits for it",
            "open it before the first request: with `await resources.once(...)` in the factory, or at import",
        )
    started = [program for program in first.processes if all(program not in request.processes for request in later)]
    if started:
        yield Fault(
            "ProcessOnFirstUse",
            f"the first request started {_some(started)}",
            "start it before the first request; an MCP server is started by `list_tools()`, not by `start()`",
        )


def _processes_per_request(seen: Observation) -> Iterator[Fault]:
    programs = _in_every(seen.requests, lambda request: request.processes)
    if programs:
        yield Fault(
            "ProcessPerRequest",
            f"every request started {_some(programs)}",
            "start it once and share it: one MCP workbench serves many requests at a time",
        )
    elif len(seen.requests) > 1 and all(request.built.get("MCP workbench") for request in seen.requests):
        yield Fault(
            "WorkbenchPerRequest",
            "every request built an MCP workbench",
            "build it once, call `list_tools()` before the first request, and share it",
        )


def _blocked_loop(seen: Observation) -> Iterator[Fault]:
    longest: dict[str, float] = {}
    for stall in seen.stalls:
        # With the first request the SDKs import what they have put off: that is for a warm-up to pay.
        of_the_sdk = stall.phase == "request 1" and stall.seconds < FIRST_STALL_SECONDS
        if stall.phase.startswith("request ") and not of_the_sdk:
            longest[stall.where] = max(longest.get(stall.where, 0.0), stall.seconds)
    for where, seconds in sorted(longest.items(), key=lambda item: -item[1]):
        yield Fault(
            "EventLoopBlocked",
            f"the event loop stood still for {seconds * 1000:.0f} ms at {where}: no other request went on meanwhile",
            "await an asynchronous call there, or wrap it in `asyncio.to_thread`; a synchronous tool of a FunctionTool "
            "runs in a thread by itself",
        )


def _repeated_calls(seen: Observation) -> Iterator[Fault]:
    for request in seen.requests[:1]:
        if request.repeated_calls:
            share = request.waited_seconds / request.seconds if request.seconds else 0.0
            yield Fault(
                "RetryLooksCold",
                f"the first request sent {request.repeated_calls} model calls again after they had failed, which took "
                f"{request.waited_seconds * 1000:.0f} ms, {share:.0%} of it",
                "set max_retries and a time-out on the client, and look at why the first call fails: a key, a quota, "
                "or a model that is loaded on demand",
            )
    # prewarm-agent bounds a whole request of a factory's agent by itself.
    clients = [] if seen.kind == "factory" else seen.clients
    bounds = [(client.timeout_seconds or float("inf")) * client.attempts for client in clients]
    if bounds and max(bounds) > PATIENT_SECONDS:
        worst = max(bounds)
        told = "for ever" if worst == float("inf") else f"{worst:.0f} s before it is given up"
        yield Fault(
            "PatientClient",
            f"one model call may take {told}: the client's time-out times its attempts",
            "set `timeout` and `max_retries` on the client, and a deadline for the whole request",
        )


def _files_per_request(seen: Observation) -> Iterator[Fault]:
    names = _in_every(seen.requests, lambda request: request.files)
    written = [name[1:] for name in names if name.startswith(">")]
    read = [name for name in names if not name.startswith(">") and name not in written]
    if written:
        yield Fault(
            "SharedStateFile",
            f"every request writes {_some(written)}: users share it, and two requests at a time lose a write",
            "keep state for each conversation: hand `save_state()` to the client, or put it into a store with a key",
        )
    if read:
        yield Fault("FilePerRequest", f"every request reads {_some(read)}", "read it once, at import")


def _environment_per_request(seen: Observation) -> Iterator[Fault]:
    names = _in_every(seen.requests, lambda request: request.environment_writes)
    if names:
        yield Fault(
            "EnvironmentPerRequest",
            f"every request sets {_some(names)} for the whole process: one user's value serves another",
            "hand the value to the client or the agent instead",
        )


_ERRORS = {
    "run_sync": (
        "RunSync",
        "await `agent.run(task=...)`, or in a script `asyncio.run(agent.run(task=...))`: AutoGen 0.7.5 has no run_sync",
    ),
    "asyncio.run() cannot be called": (
        "LoopPerRequest",
        "make the handler `async` and await the run: the model client belongs to the first event loop it was used in",
    ),
    "Event loop is closed": (
        "LoopPerRequest",
        "use one event loop for the whole process: the model client belongs to the first one it was used in",
    ),
    "already running": ("SharedTeam", "build the team for every request: one team runs one conversation at a time"),
}


def _errors(seen: Observation) -> Iterator[Fault]:
    if seen.error is None:
        return
    for words, (name, remedy) in _ERRORS.items():
        if words in seen.error:
            yield Fault(name, seen.error, remedy)
            return
    yield Fault("Failed", seen.error, "repair it; nothing after it was measured")


def _in_every(requests: Sequence[Calls], of: Callable[[Calls], Sequence[str]]) -> list[str]:
    """What is in all requests but perhaps the first, of which there must be two."""
    if len(requests) < 2:
        return []
    common = set(of(requests[1])).intersection(*(of(request) for request in requests[2:]))
    return [name for name in dict.fromkeys(of(requests[1])) if name in common]


def _some(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - 3} more" if len(unique) > 3 else ""
    return ", ".join(unique[:3]) + more


_CHECKS: tuple[Callable[[Observation], Iterator[Fault]], ...] = (
    _errors,
    _agents_that_remember,
    _clients_per_request,
    _blocked_loop,
    _network_on_first_use,
    _processes_per_request,
    _repeated_calls,
    _environment_per_request,
    _files_per_request,
)
