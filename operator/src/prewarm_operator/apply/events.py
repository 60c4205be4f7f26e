"""Writes Events for people, never a flood of them."""

import logging
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prewarm_operator.api import names
from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.decide.plan import Event
from prewarm_operator.kube.errors import KubeError
from prewarm_operator.world.cache import Key, key_of
from prewarm_operator.world.snapshot import Object

logger = logging.getLogger(__name__)

REPEAT_AFTER_SECONDS = 120.0
"""The same sentence about the same object is said again after this time (as Karpenter does)."""
BURST_PER_OBJECT = 10
REFILL_SECONDS = 60.0
"""One more event per object and minute beyond the burst."""
NOTE_LIMIT = 1024
"""Longest note that the API server takes."""


@dataclass
class _Budget:
    tokens: float
    updated: float
    said: dict[tuple[str, str], float] = field(default_factory=dict)


class Recorder:
    """De-duplicates and limits events per object. `clock` is monotonic, in seconds."""

    def __init__(self, gateway: Gateway, clock: Callable[[], float]) -> None:
        self._gateway = gateway
        self._clock = clock
        self._budgets: dict[Key, _Budget] = {}
        self._instance = socket.gethostname()

    async def record(self, agent: Object, event: Event) -> None:
        """Post an event about an AgentDeployment, or drop it. Never raises: a lost event loses no work."""
        if not self._allowed(key_of(agent), event):
            return
        try:
            await self._gateway.post_event(self._body(agent, event))
        except KubeError as error:
            logger.warning("event lost reason=%s error=%s", event.reason, error)

    def forget(self, agent: Key) -> None:
        """The object is gone."""
        self._budgets.pop(agent, None)

    def _allowed(self, agent: Key, event: Event) -> bool:
        now = self._clock()
        budget = self._budgets.setdefault(agent, _Budget(BURST_PER_OBJECT, now))
        budget.tokens = min(BURST_PER_OBJECT, budget.tokens + (now - budget.updated) / REFILL_SECONDS)
        budget.updated = now
        budget.said = {what: when for what, when in budget.said.items() if now - when < REPEAT_AFTER_SECONDS}
        what = (event.reason, event.message)
        if what in budget.said or budget.tokens < 1:
            return False
        budget.tokens -= 1
        budget.said[what] = now
        return True

    def _body(self, agent: Object, event: Event) -> Object:
        metadata = agent["metadata"]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"namespace": metadata["namespace"], "name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}"},
            "eventTime": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "reportingController": "prewarm.dev/operator",
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "type": "Warning" if event.warning else "Normal",
            "reason": event.reason[:128],
            "note": event.message if len(event.message) <= NOTE_LIMIT else event.message[: NOTE_LIMIT - 1] + "…",
            "regarding": {
                "apiVersion": names.API_VERSION,
                "kind": names.AGENT_DEPLOYMENT.kind,
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        }
