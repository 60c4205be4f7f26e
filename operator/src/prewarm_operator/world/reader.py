"""Lists every kind that Prewarm reads, and so repairs what watches have missed."""

import logging
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.kube.client import Client
from prewarm_operator.kube.errors import NotFound, Refused
from prewarm_operator.kube.resources import (
    AGENT_DEPLOYMENTS,
    AUTOSCALERS,
    CAPACITY_BUFFERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    POD_TEMPLATES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from prewarm_operator.world.cache import Cache, Key

logger = logging.getLogger(__name__)

PAGE_SIZE = 500
LATEST = 2**63 - 1
"""A version after all others."""

MANAGED_SELECTOR = f"app.kubernetes.io/managed-by={names.MANAGED_BY}"
POD_SELECTOR = names.LABEL_ORIGIN

SELECTORS: dict[Resource, str] = {
    AGENT_DEPLOYMENTS: "",
    DEPLOYMENTS: MANAGED_SELECTOR,
    REPLICA_SETS: POD_SELECTOR,
    PODS: POD_SELECTOR,
    SERVICES: MANAGED_SELECTOR,
    CONFIG_MAPS: MANAGED_SELECTOR,
    DISRUPTION_BUDGETS: MANAGED_SELECTOR,
    AUTOSCALERS: "",
}
"""What is read of each kind. ReplicaSets inherit the labels of the pod template; they come before the pods, which the
cache assigns to agents by them."""

STRAY_PODS = f"{names.LABEL_AGENT},!{names.LABEL_ORIGIN}"
"""Pods that a hand has taken from their ReplicaSet but not from their Service. A watch cannot ask for them as well."""


class Reader:
    """Fills a cache from complete lists: of the whole cluster, or of `namespaces` if there are any.

    `with_buffers`: CapacityBuffers too, where the cluster serves them.

    Attributes:
        readable: those of `namespaces` that could be listed last; empty as long as it is the whole cluster.
        listed_at: when the last complete listing of all kinds began, in seconds since the epoch; 0 before the first.
        buffers_served: whether it serves them, as of the last listing.
    """

    def __init__(
        self,
        client: Client,
        cache: Cache,
        namespaces: Sequence[str] = (),
        wall_clock: Callable[[], float] = time.time,
        with_buffers: bool = False,
    ) -> None:
        self._client = client
        self._cache = cache
        self._namespaces = namespaces
        self._wall_clock = wall_clock
        self._with_buffers = with_buffers
        self.buffers_served = False
        self.readable: tuple[str, ...] = ()
        self.listed_at = 0.0

    async def read_all(self) -> set[Key]:
        """List every kind. Returns the agents whose objects differ from what was known.

        Raises:
            KubeError: a list failed; what was listed before is kept.
        """
        touched: set[Key] = set()
        started = self._wall_clock()
        self.readable = await self._find_readable()
        for resource, selector in SELECTORS.items():
            selectors = (selector, STRAY_PODS) if resource == PODS else (selector,)
            touched |= await self._read(resource, selectors)
        if self._with_buffers:
            touched |= await self._read_buffers()
        self.listed_at = started
        return touched

    async def _read(self, resource: Resource, selectors: Sequence[str]) -> set[Key]:
        places = self.readable or (None,)
        lists = [await self._list(resource, each, place) for place in places for each in selectors]
        items = [item for page, _ in lists for item in page]
        return self._cache.replace(resource, items, min(version for _, version in lists))

    async def _read_buffers(self) -> set[Key]:
        """Their kind comes and goes with an autoscaler of nodes, which is no reason not to look after agents.

        Nor does a server that is busy say that the kind has gone: pods would take over places that buffers still hold.
        """
        try:
            group = await self._client.request("GET", f"/apis/{CAPACITY_BUFFERS.api_version}")
            self.buffers_served = any(each["name"] == CAPACITY_BUFFERS.plural for each in group["resources"])
            if self.buffers_served:
                touched = await self._read(POD_TEMPLATES, (MANAGED_SELECTOR,))
                return touched | await self._read(CAPACITY_BUFFERS, (MANAGED_SELECTOR,))
        except NotFound:
            self.buffers_served = False
        except Refused as error:
            logger.warning("CapacityBuffers cannot be read error=%s", error)
            if error.code != HTTPStatus.FORBIDDEN:
                return set()
            self.buffers_served = False
        return self._cache.replace(CAPACITY_BUFFERS, (), LATEST)

    async def _find_readable(self) -> tuple[str, ...]:
        """A namespace that is not there, or whose RoleBinding is not, keeps no other one from being read."""
        readable = []
        refusal = None
        for namespace in self._namespaces:
            try:
                await self._client.request("GET", AGENT_DEPLOYMENTS.path(namespace), query={"limit": "1"})
                readable.append(namespace)
            except Refused as error:
                if error.code != 403:
                    raise
                logger.warning("namespace not readable namespace=%s error=%s", namespace, error)
                refusal = error
        if refusal is not None and not readable:
            raise refusal
        return tuple(readable)

    async def read(self, resource: Resource, key: Key) -> dict[str, Any]:
        """Get one object, also one without our labels.

        Raises:
            KubeError: see the client; NotFound where there is none.
        """
        return await self._client.request("GET", resource.path(key.namespace, key.name))

    async def _list(self, resource: Resource, selector: str, namespace: str | None) -> tuple[list[dict[str, Any]], int]:
        query = {"limit": str(PAGE_SIZE)} | ({"labelSelector": selector} if selector else {})
        items: list[dict[str, Any]] = []
        while True:
            page = await self._client.request("GET", resource.path(namespace), query=query)
            # Items of a list carry neither kind nor apiVersion; the cache tells kinds apart by them.
            items += [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in page["items"]]
            token = page["metadata"].get("continue")
            if not token:
                return items, int(page["metadata"]["resourceVersion"])
            query["continue"] = token
