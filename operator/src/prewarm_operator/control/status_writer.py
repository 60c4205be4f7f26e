"""Writes the status of an AgentDeployment, and only if that changes anything."""

import logging
from typing import Any, NamedTuple

from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.decide.drift import first_difference
from prewarm_operator.kube.errors import NotFound
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS
from prewarm_operator.world.cache import Cache, Key
from prewarm_operator.world.snapshot import Object

logger = logging.getLogger(__name__)


class _Written(NamedTuple):
    status: Object
    kept: Any


class StatusWriter:
    """Remembers what the API server made of each status.

    Under a CRD of an earlier version it drops the fields that it does not know, without a word: the status that comes
    back is never the one that was sent, and sending it again would change nothing.
    """

    def __init__(self, gateway: Gateway, cache: Cache) -> None:
        self._gateway = gateway
        self._cache = cache
        self._dropped: dict[Key, _Written] = {}
        self._told: set[str] = set()

    async def write(self, key: Key, body: Object, status: Object) -> bool:
        """Write `status` unless it was written before and is kept as well as it can be. False if the object is gone."""
        if self._dropped.get(key) == _Written(status, body.get("status")):
            return True
        try:
            live = await self._gateway.patch_status(body, status)
        except NotFound:
            return False
        self._cache.put(AGENT_DEPLOYMENTS, live)
        field = first_difference(status, live.get("status"), "status")
        if field is None:
            self._dropped.pop(key, None)
        else:
            self._dropped[key] = _Written(status, live.get("status"))
            self._tell(field)
        return True

    def forget(self, key: Key) -> None:
        """The AgentDeployment is gone."""
        self._dropped.pop(key, None)

    def _tell(self, field: str) -> None:
        if field not in self._told:
            self._told.add(field)
            logger.warning(
                "the CRD agentdeployments.prewarm.dev is of another version and does not keep %s: apply the CRDs of "
                "this version (docs/guide/installation.md)",
                field,
            )
