"""Autoscalers that point at an AgentDeployment, or at its child Deployment instead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prewarm_operator.world.cache import Key


@dataclass(frozen=True)
class Autoscalers:
    """Who scales one AgentDeployment or its child, each as people know it, in order.

    Attributes:
        names: those that point at the child; none is what should be.
        gone_for_seconds: since the last of them was found gone; None if there was none, or is one.
        of_the_agent: those that point at the AgentDeployment.
    """

    names: tuple[str, ...] = ()
    gone_for_seconds: float | None = None
    of_the_agent: tuple[str, ...] = ()


def name_of(autoscaler: Mapping[str, Any]) -> str:
    """Kind and name. KEDA makes a HorizontalPodAutoscaler of each ScaledObject; people know only the latter."""
    metadata = autoscaler["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner["kind"] == "ScaledObject":
            return f"ScaledObject {owner['name']}"
    return f"HorizontalPodAutoscaler {metadata['name']}"


def target_of(autoscaler: Mapping[str, Any]) -> str:
    """The kind that it scales."""
    return str(autoscaler["spec"]["scaleTargetRef"]["kind"])


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
