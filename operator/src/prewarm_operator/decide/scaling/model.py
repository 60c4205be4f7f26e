"""What the decision about the number of pods looks at, and what comes out of it: frozen plain values.

Times are seconds on one monotonic clock, unless they are called epoch. Loads are requests: in flight, queued and lately
refused.
"""

from dataclasses import dataclass
from enum import StrEnum

from prewarm_operator.decide.schedule import NO_WINDOW, Present
from prewarm_operator.signals.reading import Fault, Reading, Upstream
from prewarm_operator.world.scaling import Forecast


class Mode(StrEnum):
    """Who sets the number of pods."""

    AUTO = "Auto"
    OBSERVE = "Observe"
    EXTERNAL = "External"


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast the number may change: by `pods` or by `percent` per `period_seconds`, whichever is more."""

    pods: int
    percent: float
    period_seconds: float


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user set; counts are not negative, both concurrencies are positive.

    Attributes:
        low: minReplicas.
        high: maxReplicas. `low` wins over it.
        concurrency_limit: requests that one pod takes at once.
        target_concurrency: requests per pod to plan for where no forecast gives the reserve.
        headroom: pods on top of what load, forecast and schedule need.
        stabilization_seconds: fewer pods only after fewer were enough for this long.
        down: how fast the number may fall.
        up: how fast it may rise; None is at once.
        spec_replicas: spec.replicas, which sets the number in the modes External and Observe.
    """

    mode: Mode
    low: int
    high: int
    concurrency_limit: int
    target_concurrency: float
    headroom: int = 0
    stabilization_seconds: float = 60.0
    down: Rate = Rate(1, 10.0, 60.0)
    up: Rate | None = None
    paused: bool = False
    spec_replicas: int = 1


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods that there are or shall be: `own` as the child Deployment asks for, `claimed` from a pool."""

    own: int
    claimed: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that one decision may look at.

    Attributes:
        epoch_seconds: the time of day now, for sentences that name one.
    """

    policy: Policy
    pods: Pods
    epoch_seconds: float
    reading: Reading | None = None
    forecast: Forecast | None = None
    schedule: Present = NO_WINDOW
    upstream: Upstream | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a decision.

    Attributes:
        name: of the part.
        replicas: what this part asks for or allows, None if it has nothing to say.
        reason: a constant of decide.reasons.
        message: a sentence without its full stop.
        until_seconds: when it changes by itself, None if it does not.
    """

    name: str
    replicas: int | None
    reason: str
    message: str
    until_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many pods there should be.

    Attributes:
        replicas: pods in all, own and claimed.
        own: of these, by the agent's own Deployment.
        claimed: of the pods claimed now, those that stay.
        decided_by: the term that set the number.
        auto: the term that sets it in mode Auto; another one in mode Observe alone.
        terms: all of them, in the order in which they were applied.
        blind: whether the load is unknown or known in part, so that the number does not fall.
        may_claim: whether pods may be claimed from a pool for this number.
        again_after_seconds: when the verdict changes by itself, None if it does not.
    """

    replicas: int
    own: int
    claimed: int
    decided_by: Term
    auto: Term
    terms: tuple[Term, ...]
    blind: bool
    may_claim: bool
    again_after_seconds: float | None
