"""Autoscalers that point at a child Deployment instead of at the AgentDeployment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prewarm_operator.world.cache import Key


@dataclass(frozen=True)
class Autoscalers:
    """Who scales the child of one AgentDeployment.

    Attributes:
        names: each as people know it, in order; none is what should be.
        gone_for_seconds: since the last of them was found gone; None if there was none, or is one.
    """

    names: tuple[str, ...] = ()
    gone_for_seconds: float | None = None


def name_of(autoscaler: Mapping[str, Any]) -> str:
    """Kind and name. KEDA makes a HorizontalPodAutoscaler of each ScaledObject; people know only the latter."""
    metadata = autoscaler["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner["kind"] == "ScaledObject":
            return f"ScaledObject {owner['name']}"
    return f"HorizontalPodAutoscaler {metadata['name']}"


@dataclass
class AutoscalerLog:
    """Remembers since when an agent's child has been without the autoscaler that it had."""

    _gone_at: dict[Key, float | None] = field(default_factory=dict)

    def seen(self, agent: Key, names: tuple[str, ...], now: float) -> Autoscalers:
        """`names` are there now (monotonic seconds)."""
        if names:
            self._gone_at[agent] = None
        elif agent in self._gone_at and self._gone_at[agent] is None:
            self._gone_at[agent] = now
        gone_at = self._gone_at.get(agent)
        return Autoscalers(names, None if gone_at is None else now - gone_at)

    def forget(self, agent: Key) -> None:
        """The AgentDeployment is gone."""
        self._gone_at.pop(agent, None)
