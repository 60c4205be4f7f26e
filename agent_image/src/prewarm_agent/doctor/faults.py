"""All faults of a run, in the order of what they cost, and those that ended it."""

from collections.abc import Callable, Iterator

from prewarm_agent.doctor import slow, unsafe
from prewarm_agent.doctor.fault import Fault
from prewarm_agent.doctor.observation import Observation


def find(observation: Observation) -> list[Fault]:
    """All faults of one run, in the order of what they cost."""
    return [fault for check in _CHECKS for fault in check(observation)]


def _not_autogen(seen: Observation) -> Iterator[Fault]:
    calls = sum(request.model_calls for request in seen.requests)
    if calls and not any(phase.built.get("agent") or phase.built.get("team") for phase in seen.phases):
        yield Fault(
            "NoAutoGen",
            "the model was asked, but no AutoGen object was found: no agent and no team was built",
            "name the code that builds an AutoGen agent; what is said here of clients and loops holds all the same",
        )


_ERRORS = {
    "waits for a person": (
        "PersonInTheRun",
        "leave it out, as nobody answers over HTTP: the user's next request goes on with the state of the last one",
    ),
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


_CHECKS: tuple[Callable[[Observation], Iterator[Fault]], ...] = (
    _errors,
    _not_autogen,
    unsafe.agents_that_remember,
    slow.clients_per_request,
    unsafe.loop_per_request,
    slow.blocked_loop,
    slow.blocking_calls,
    slow.network_on_first_use,
    slow.processes_per_request,
    slow.repeated_calls,
    unsafe.environment_per_request,
    unsafe.files_per_request,
)
