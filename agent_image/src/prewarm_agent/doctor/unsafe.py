"""What users share that they must not, named from what was seen: pure functions, each of which finds one fault."""

from collections.abc import Iterator

from prewarm_agent.doctor.fault import Fault, in_every, some
from prewarm_agent.doctor.observation import Observation


def agents_that_remember(seen: Observation) -> Iterator[Fault]:
    later = seen.requests[1:]
    if seen.leaked and all(request.built.get("agent") for request in later):
        yield Fault(
            "SharedState",
            "the text of an earlier request was in the prompt of a later one, though each built an agent of its own: "
            "it came from what is kept between them, a file, a store or a variable, and users read each other's texts",
            "keep what is remembered under a key for each conversation, or hand `save_state()` to the client",
        )
    elif seen.leaked:
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


def loop_per_request(seen: Observation) -> Iterator[Fault]:
    later = seen.requests[1:]
    if later and all(request.built.get("event loop") for request in later):
        yield Fault(
            "LoopPerRequest",
            "every request ran in an event loop of its own, as asyncio.run makes it: the connections of a client "
            "belong to the loop that opened them, so each is opened anew, or fails with 'Event loop is closed'",
            "use one event loop for the whole process: an async handler, or one loop in a thread and "
            "`asyncio.run_coroutine_threadsafe`",
        )


def environment_per_request(seen: Observation) -> Iterator[Fault]:
    names = in_every(seen.requests, lambda request: request.environment_writes)
    if names:
        yield Fault(
            "EnvironmentPerRequest",
            f"every request sets {some(names)} for the whole process: one user's value serves another",
            "hand the value to the client or the agent instead",
        )


def files_per_request(seen: Observation) -> Iterator[Fault]:
    names = in_every(seen.requests, lambda request: request.files)
    written = [name[1:] for name in names if name.startswith(">")]
    read = [name for name in names if not name.startswith(">") and name not in written]
    if written:
        yield Fault(
            "SharedStateFile",
            f"every request writes {some(written)}: users share it, and two requests at a time lose a write",
            "keep state for each conversation: hand `save_state()` to the client, or put it into a store with a key",
        )
    if read:
        yield Fault("FilePerRequest", f"every request reads {some(read)}", "read it once, at import")
