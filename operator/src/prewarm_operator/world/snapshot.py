"""Everything that a decision about one AgentDeployment may look at, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prewarm_operator.render.agent import Agent
from prewarm_operator.world.autoscalers import Autoscalers
from prewarm_operator.world.cache import Key
from prewarm_operator.world.places import NO_PLACES, Places
from prewarm_operator.world.pods import PodView
from prewarm_operator.world.scaling import NO_HISTORY, NO_SIGNALS, History, Signals
from prewarm_operator.world.start_times import StartTimes
from prewarm_operator.world.verdicts import ApplyVerdict, PodVerdict

Object = Mapping[str, Any]


@dataclass(frozen=True)
class LiveChildren:
    """The children's objects as last read, by what they are; None where there is none of that name.

    `config_maps` and `replica_sets` are all that carry the agent's label. `replica_sets_read_at` says when ReplicaSets
    were last listed (seconds since the epoch): a watch may be late without anybody knowing, a list is not.
    `headroom` is what keeps places on nodes free, of each kind that there is.
    """

    deployment: Object | None
    service: Object | None
    disruption_budget: Object | None
    config_maps: tuple[Object, ...]
    replica_sets: tuple[Object, ...]
    replica_sets_read_at: float
    headroom: tuple[Object, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One AgentDeployment and what belongs to it.

    Attributes:
        agent: the object; its status is the one last written.
        autoscalers: who scales the child Deployment beside us.
        taken_at: seconds since the epoch.
        now: the same moment on the monotonic clock, as the times of `signals` and `history` are.
        start_times: created to Ready as measured, or None before the first.
        default_image: the image of agents whose spec names none.
        pod_verdict: what the API server said to a pod of a new revision, if it was asked just now.
        signals: what is known of the load, in the modes Auto and Observe.
        history: what decisions before this one left for it.
        places: by what places on nodes are kept free.
        in_flight: requests that each pod works on or has queued, by uid, of those that told lately.
        apply_verdict: what the API server made of the last apply of the child Deployment, or would make of another one.
    """

    key: Key
    agent: Agent
    children: LiveChildren
    pods: tuple[PodView, ...]
    autoscalers: Autoscalers
    taken_at: float
    now: float
    start_times: StartTimes | None
    default_image: str
    pod_verdict: PodVerdict | None = None
    apply_verdict: ApplyVerdict | None = None
    signals: Signals = NO_SIGNALS
    history: History = NO_HISTORY
    places: Places = NO_PLACES
    in_flight: Mapping[str, int] = field(default_factory=dict)
