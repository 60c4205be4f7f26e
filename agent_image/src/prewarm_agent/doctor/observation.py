"""What one measured process has seen, as data: it travels from the child that runs the user's code to the doctor."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Calls:
    """What happened in one phase: an import, a build, or one request.

    Attributes:
        name: `import`, `build`, `request 1`, ...
        seconds, cpu_seconds: wall clock, and CPU of the whole process.
        built: how often each kind of thing was constructed.
        closed: how many model clients were closed.
        connections: network addresses that were connected to, as `host:port`.
        dns_seconds, tcp_seconds, tls_seconds: spent in looking up names, in connecting, and in TLS handshakes.
        model_calls: HTTP requests to a model's API, with those that were sent again.
        blocking_calls: of these, the ones that held a thread until the answer was there.
        repeated_calls: of these, the ones that repeated a call because it had failed.
        waited_seconds: between a failed call and its repetition, that failed call included.
        prompt_characters: of the longest prompt that was sent.
        processes: programs that were started.
        files: files of the user that were opened (not Python's own), those that were written to with a leading `>`.
        environment_writes: environment variables that were set, and `openai.api_key`, which is the process's, too.
    """

    name: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    built: dict[str, int] = field(default_factory=dict)
    closed: int = 0
    connections: list[str] = field(default_factory=list)
    dns_seconds: float = 0.0
    tcp_seconds: float = 0.0
    tls_seconds: float = 0.0
    model_calls: int = 0
    blocking_calls: int = 0
    repeated_calls: int = 0
    waited_seconds: float = 0.0
    prompt_characters: int = 0
    processes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    environment_writes: list[str] = field(default_factory=list)


@dataclass
class Stall:
    """The event loop stood still: where (`file:line function`), in which phase, and for how long."""

    phase: str
    where: str
    seconds: float


@dataclass
class Client:
    """How a model client that the user's code has built is set: seconds that one attempt may take, and attempts."""

    timeout_seconds: float | None
    attempts: int


@dataclass
class Observation:
    """All of one run.

    Attributes:
        kind: what the target is: `factory`, `agent`, `handler` or `application`.
        start_seconds: from the start of the process to the end of the build.
        error: why the run ended early, None if it did not.
        shared_agent: an agent or team that answered more than one request.
        leaked: the text of an earlier request was in the prompt of a later one.
    """

    kind: str = ""
    start_seconds: float = 0.0
    phases: list[Calls] = field(default_factory=list)
    stalls: list[Stall] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    error: str | None = None
    shared_agent: bool = False
    leaked: bool = False

    def phase(self, name: str) -> Calls | None:
        """The phase of that name, if the run came so far."""
        return next((phase for phase in self.phases if phase.name == name), None)

    @property
    def requests(self) -> list[Calls]:
        """The requests, in order."""
        return [phase for phase in self.phases if phase.name.startswith("request ")]

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Observation":
        """The inverse of `to_json`."""
        return cls(
            **{
                **value,
                "phases": [Calls(**phase) for phase in value["phases"]],
                "stalls": [Stall(**stall) for stall in value["stalls"]],
                "clients": [Client(**client) for client in value["clients"]],
            }
        )
