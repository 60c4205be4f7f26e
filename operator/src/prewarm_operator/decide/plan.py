"""What a decision asks for: writes, and later a status and events. Nothing here happens by itself."""

from dataclasses import dataclass

from prewarm_operator.kube.resources import Resource
from prewarm_operator.world.snapshot import Object


@dataclass(frozen=True)
class Create:
    """Make an object that does not exist. If one of its name turns up, it is not ours and stays as it is."""

    resource: Resource
    body: Object


@dataclass(frozen=True)
class Apply:
    """Server-side apply over our own object. `body` carries its uid, so that a namesake is never touched.

    `because` is the path of the first field that differs, for logs.
    """

    resource: Resource
    body: Object
    because: str


@dataclass(frozen=True)
class Adopt:
    """Turn the field ownership that POST left (operation Update) into that of server-side apply.

    Until then an apply that leaves a field out would not remove it, because the Update entry still owns it.
    `entry` is its index in metadata.managedFields, where it is only changed if it still is there.
    """

    resource: Resource
    namespace: str
    name: str
    uid: str
    entry: int


@dataclass(frozen=True)
class Delete:
    """Delete exactly the object with this uid."""

    resource: Resource
    namespace: str
    name: str
    uid: str


Write = Create | Adopt | Apply | Delete


@dataclass(frozen=True)
class Problem:
    """Why a child cannot be what it should: a reason of decide.reasons and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class Scale:
    """How many pods there should be, and why."""

    replicas: int
    reason: str
    message: str


@dataclass(frozen=True)
class Plan:
    """The outcome of a decision.

    Attributes:
        scale: the wanted number of pods.
        revision: label of the pods that this spec makes.
        writes: in the order in which they are to be made.
        problems: what stands in the way and no write can change.
    """

    scale: Scale
    revision: str
    writes: tuple[Write, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened to an AgentDeployment, for `kubectl describe`."""

    warning: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Report:
    """What to tell the user: the status to write, None if nothing changed, and events."""

    status: Object | None
    events: tuple[Event, ...]
