"""How long an agent's pods take from created to Ready, as measured here.

Taken when the watch event arrives, on the monotonic clock: the API's own timestamps have whole seconds.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prewarm_operator.world.cache import Key
from prewarm_operator.world.pods import is_ready

SAMPLES_KEPT = 100
"""Per agent. Enough for a P90, and old images are forgotten within a few rollouts."""


@dataclass(frozen=True)
class StartTimes:
    """Created to Ready, in seconds, over the last pods of one agent."""

    p50_seconds: float
    p90_seconds: float
    samples: int


@dataclass
class StartTimeLog:
    """Follows pods from their ADDED event to their first Ready."""

    _created: dict[str, float] = field(default_factory=dict)
    _samples: dict[Key, deque[float]] = field(default_factory=dict)

    def pod_added(self, uid: str, now: float) -> None:
        """A pod was created while we watched; `now` is monotonic, in seconds."""
        self._created.setdefault(uid, now)

    def pod_seen(self, agent: Key, pod: Mapping[str, Any], now: float) -> float | None:
        """A pod is as `pod` says. Returns created to Ready, in seconds, if this is its first Ready.

        Later ones do not count: a restart is not a start from nothing.
        """
        created = self._created.pop(pod["metadata"]["uid"], None) if is_ready(pod) else None
        if created is None:
            return None
        self._samples.setdefault(agent, deque(maxlen=SAMPLES_KEPT)).append(now - created)
        return now - created

    def pod_gone(self, uid: str) -> None:
        """A pod was deleted, ready or not."""
        self._created.pop(uid, None)

    def forget_unfinished(self) -> None:
        """Drop the pods that have not been Ready yet: when they became so, or whether they are gone, was missed."""
        self._created.clear()

    def forget(self, agent: Key) -> None:
        """The AgentDeployment is gone."""
        self._samples.pop(agent, None)

    def of(self, agent: Key) -> StartTimes | None:
        """What was measured for an agent, or None before its first pod."""
        samples = self._samples.get(agent)
        if not samples:
            return None
        ordered = sorted(samples)
        return StartTimes(_nearest_rank(ordered, 0.5), _nearest_rank(ordered, 0.9), len(ordered))


def _nearest_rank(ordered: Sequence[float], quantile: float) -> float:
    """The smallest sample that at least `quantile` of all samples do not exceed."""
    return ordered[max(0, -(-len(ordered) * int(quantile * 100) // 100) - 1)]
