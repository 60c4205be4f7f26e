"""The Lease object that replicas agree by: reading it and writing it, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.kube.client import Client
from prewarm_operator.kube.errors import NotFound
from prewarm_operator.kube.resources import LEASES

NAME = "prewarm-operator"


@dataclass(frozen=True)
class Lease:
    """What a Lease says. Two are equal if nobody has renewed, taken or released it in between.

    Attributes:
        holder: identity of the leader; "" when it was released.
        duration_seconds: how long the holder may be silent before others take over.
        acquire_time, renew_time: the holder's wall clock; only ever compared with themselves.
        transitions: how often the leader has changed.
        metadata: as read; its resourceVersion makes an update fail where another one came first.
    """

    holder: str
    duration_seconds: int
    acquire_time: str
    renew_time: str
    transitions: int
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def renewed(self, duration_seconds: int) -> "Lease":
        """As its holder renews it."""
        now = _now()
        return replace(self, duration_seconds=duration_seconds, acquire_time=self.acquire_time or now, renew_time=now)

    def taken(self, identity: str, duration_seconds: int) -> "Lease":
        """As another replica takes it over."""
        now = _now()
        return Lease(identity, duration_seconds, now, now, self.transitions + 1, self.metadata)

    def released(self) -> "Lease":
        """As its holder gives it up: others need not wait."""
        return replace(self, holder="", renew_time=_now())


def first(identity: str, duration_seconds: int) -> Lease:
    """The Lease where there is none yet."""
    now = _now()
    return Lease(identity, duration_seconds, now, now, 0)


class LeaseLock:
    """The Lease `prewarm-operator` of one namespace. Calls raise KubeError, none lasts over `timeout_seconds`."""

    def __init__(self, client: Client, namespace: str, timeout_seconds: float) -> None:
        self._client = client
        self._namespace = namespace
        self._timeout_seconds = timeout_seconds

    async def get(self) -> Lease | None:
        """The Lease, or None where there is none."""
        try:
            return _read(await self._request("GET", LEASES.path(self._namespace, NAME)))
        except NotFound:
            return None

    async def create(self, lease: Lease) -> Lease:
        """Create it; Conflict if another replica was faster."""
        return await self._send("POST", LEASES.path(self._namespace), lease)

    async def update(self, lease: Lease) -> Lease:
        """Replace it; Conflict if it has changed since it was read."""
        return await self._send("PUT", LEASES.path(self._namespace, NAME), lease)

    async def _send(self, method: str, path: str, lease: Lease) -> Lease:
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {**lease.metadata, "namespace": self._namespace, "name": NAME},
            "spec": {
                "holderIdentity": lease.holder,
                "leaseDurationSeconds": lease.duration_seconds,
                "acquireTime": lease.acquire_time,
                "renewTime": lease.renew_time,
                "leaseTransitions": lease.transitions,
            },
        }
        return _read(await self._request(method, path, query={"fieldManager": names.FIELD_MANAGER}, body=body))

    async def _request(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return await self._client.request(method, path, timeout_seconds=self._timeout_seconds, **request)


def _read(body: Mapping[str, Any]) -> Lease:
    spec = body.get("spec", {})
    return Lease(
        holder=spec.get("holderIdentity", ""),
        duration_seconds=spec.get("leaseDurationSeconds", 0),
        acquire_time=spec.get("acquireTime", ""),
        renew_time=spec.get("renewTime", ""),
        transitions=spec.get("leaseTransitions", 0),
        metadata=body["metadata"],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
