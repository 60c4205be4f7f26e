"""What makes users wait, named from what was seen: pure functions, each of which finds one fault."""

from collections.abc import Iterator, Sequence

from prewarm_agent.doctor.fault import Fault, in_every, some
from prewarm_agent.doctor.observation import Observation

PATIENT_SECONDS = 120.0
"""A model call that may take longer than this, repetitions included, looks like a hang to the user who waits for it."""

FIRST_STALL_SECONDS = 0.5
"""Shorter stalls of the first request alone are no fault of the agent's."""


def clients_per_request(seen: Observation) -> Iterator[Fault]:
    later = seen.requests[1:]
    count = sum(request.built.get("model client", 0) for request in later)
    if later and count >= len(later):
        contexts, tools = (sum(request.built.get(kind, 0) for request in later) for kind in ("TLS context", "tool"))
        left_open = count - sum(request.closed for request in later)
        leak = f"; {left_open} of them were never closed, so connections and memory grow" if left_open > 0 else ""
        with_tools = f", and {tools} tools," if tools else ""
        yield Fault(
            "ClientPerRequest",
            f"{count} model clients and {contexts} TLS contexts{with_tools} were built by {len(later)} requests: each "
            f"client costs about 26 ms of CPU and a new connection to the model{leak}",
            "build the client once, at import or through the factory's Resources, and share it: it is safe in one "
            "event loop; a fresh agent for each request is right and costs next to nothing",
        )
    elif later and not count and seen.requests[0].built.get("model client"):
        yield Fault(
            "ClientOnFirstRequest",
            "the first request built the model client, and the later ones did not",
            "build it before the first request: in the factory, or at import",
        )


def network_on_first_use(seen: Observation) -> Iterator[Fault]:
    if len(seen.requests) < 2:
        return
    first, later = seen.requests[0], seen.requests[1:]
    again = {address for request in later for address in request.connections}
    once = [address for address in dict.fromkeys(first.connections) if address not in again]
    if once:
        yield Fault(
            "NetworkOnFirstUse",
            f"the first request connected to {some(once)}, the later ones did not: the first user waits for it",
            "open it before the first request: with `await resources.once(...)` in the factory, or at import",
        )
    started = [program for program in first.processes if all(program not in request.processes for request in later)]
    if started:
        yield Fault(
            "ProcessOnFirstUse",
            f"the first request started {some(started)}",
            "start it before the first request; an MCP server is started by `list_tools()`, not by `start()`",
        )


def processes_per_request(seen: Observation) -> Iterator[Fault]:
    programs = in_every(seen.requests, lambda request: request.processes)
    if programs:
        yield Fault(
            "ProcessPerRequest",
            f"every request started {some(programs)}",
            f"start it once and share it: one MCP workbench serves many requests at a time{_downloads(programs)}",
        )
    elif len(seen.requests) > 1 and all(request.built.get("MCP workbench") for request in seen.requests):
        yield Fault(
            "WorkbenchPerRequest",
            "every request built an MCP workbench",
            "build it once, call `list_tools()` before the first request, and share it",
        )


def _downloads(programs: Sequence[str]) -> str:
    if not {"npx", "uvx", "pipx"}.intersection(programs):
        return ""
    return (
        "; npx, uvx and pipx look for their package in a registry each time, which a pod may not reach: install it in "
        "the image and name its own command"
    )


def blocked_loop(seen: Observation) -> Iterator[Fault]:
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


def blocking_calls(seen: Observation) -> Iterator[Fault]:
    calls = sum(request.blocking_calls for request in seen.requests)
    if calls:
        yield Fault(
            "BlockingModelCall",
            f"{calls} calls of the model were made by the SDK's synchronous client: each holds its thread until the "
            "answer is there",
            "await the asynchronous client, which AutoGen's model clients are built on",
        )


def repeated_calls(seen: Observation) -> Iterator[Fault]:
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
