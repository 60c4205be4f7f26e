"""What the API server said when it was asked."""

from collections.abc import Callable
from dataclasses import dataclass, field

from prewarm_operator.world.cache import Generation

HOLD_SECONDS = 25.0
"""A verdict counts this long: shorter than the time after which what was refused is looked at again, long enough that
events in between do not ask anew."""


@dataclass(frozen=True)
class PodVerdict:
    """The answer about a pod of one revision.

    Attributes:
        revision: of the pod template.
        refusal: the API server's own sentence, None if it would take the pod.
    """

    revision: str
    refusal: str | None


@dataclass(frozen=True)
class ApplyVerdict:
    """Whether an apply would change a child Deployment in the state that it has.

    It is not so although the Deployment differs from what was applied, where the API server rewrites values.
    """

    generation: Generation
    changes: bool


@dataclass
class VerdictLog:
    """The latest verdict for each AgentDeployment, by namespace and name. `clock` is monotonic, in seconds."""

    clock: Callable[[], float]
    _verdicts: dict[tuple[str, str], tuple[float, PodVerdict]] = field(default_factory=dict)

    def record(self, agent: tuple[str, str], verdict: PodVerdict) -> None:
        """Keep a verdict, and none that has ceased to count."""
        now = self.clock()
        self._verdicts = {key: known for key, known in self._verdicts.items() if _counts(known[0], now)}
        self._verdicts[agent] = (now, verdict)

    def of(self, agent: tuple[str, str]) -> PodVerdict | None:
        """The verdict, as long as it counts."""
        at, verdict = self._verdicts.get(agent, (-HOLD_SECONDS, None))
        return verdict if _counts(at, self.clock()) else None


def _counts(at: float, now: float) -> bool:
    return now - at < HOLD_SECONDS
