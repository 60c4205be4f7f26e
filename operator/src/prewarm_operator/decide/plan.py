"""What a decision asks for: writes, and later a status and events. Nothing here happens by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from prewarm_operator.decide.scaling.model import Term, Verdict
from prewarm_operator.kube.resources import PODS, Resource
from prewarm_operator.world.scaling import NO_HISTORY, History
from prewarm_operator.world.snapshot import Object


@dataclass(frozen=True)
class Create:
    """Make an object that does not exist. If one of its name turns up, it is not ours and stays as it is."""

    resource: Resource
    body: Object


@dataclass(frozen=True)
class Apply:
    """Server-side apply over our own object. `body` carries its uid, so that a namesake is never touched.

    `because` is the path of the first field that differs. `by_hand`: what we applied last was the same, so it was
    somebody else who changed it.
    """

    resource: Resource
    body: Object
    because: str
    by_hand: bool


@dataclass(frozen=True)
class TryApply:
    """Ask what an Apply of `body` would change. The next decision goes by the answer."""

    resource: Resource
    body: Object


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


@dataclass(frozen=True)
class Relabel:
    """Give a pod back the labels that it was made with, if it still is the pod of this uid."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    resource: Resource = PODS


@dataclass(frozen=True)
class Rank:
    """Say what it costs to delete a pod, if it still is the pod of this uid: requests that it works on."""

    namespace: str
    name: str
    uid: str
    cost: int
    resource: Resource = PODS


@dataclass(frozen=True)
class AskForPod:
    """Ask whether the API server would take a pod of a new revision. The next decision goes by the answer.

    `namespace` and `name` are the AgentDeployment's.
    """

    namespace: str
    name: str
    revision: str
    body: Object
    resource: Resource = PODS


Write = Create | Adopt | Apply | TryApply | Delete | Relabel | Rank | AskForPod


@dataclass(frozen=True)
class Problem:
    """Why a child cannot be what it should: a reason of decide.reasons and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class Scale:
    """How many pods there should be, and why.

    Attributes:
        ours: whether we set the number; else it is somebody else's field and is left out of what we apply.
        again_after_seconds: when the verdict changes by itself, None if it does not.
        verdict: the whole decision, in the modes Auto and Observe while nobody else sets the number.
        schedule_problem: why a window of the schedule does not count, as a sentence.
        history: for the next decision.
        nodes: the places on nodes that are kept free for pods to come, None if that is not done.
    """

    replicas: int
    reason: str
    message: str
    ours: bool = True
    again_after_seconds: float | None = None
    verdict: Verdict | None = None
    schedule_problem: str | None = None
    history: History = NO_HISTORY
    nodes: Term | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened to an AgentDeployment, for `kubectl describe`."""

    warning: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Plan:
    """The outcome of a decision.

    Attributes:
        scale: the wanted number of pods.
        revision: label of the pods that this spec makes.
        update: what would change in the pods if the user asked for it, None if nothing.
        writes: in the order in which they are to be made.
        problems: what stands in the way and no write can change.
        notices: what the user should hear about these writes.
        again_after_seconds: when the decision changes by itself, None if it does not.
    """

    scale: Scale
    revision: str
    update: str | None
    writes: tuple[Write, ...]
    problems: tuple[Problem, ...]
    notices: tuple[Event, ...]
    again_after_seconds: float | None = None


@dataclass(frozen=True)
class Report:
    """What to tell the user: the status to write, None if nothing changed, and events."""

    status: Object | None
    events: tuple[Event, ...]
