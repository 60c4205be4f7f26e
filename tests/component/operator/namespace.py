"""One namespace of a real API server, as its administrator sees it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from devcluster.controlplane import ControlPlane

COLLECTIONS = {
    "agentdeployments": "/apis/prewarm.dev/v1alpha1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "services": "/api/v1",
    "configmaps": "/api/v1",
    "pods": "/api/v1",
    "podtemplates": "/api/v1",
    "capacitybuffers": "/apis/autoscaling.x-k8s.io/v1beta1",
    "serviceaccounts": "/api/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "events": "/apis/events.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
}


@dataclass(frozen=True)
class Namespace:
    """Requests raise httpx.HTTPStatusError unless they succeed."""

    name: str
    http: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def create(cls, api_server: ControlPlane, number: int) -> AsyncIterator[Namespace]:
        tls = ssl.create_default_context(cafile=str(api_server.pki / "ca.crt"))
        tls.load_cert_chain(api_server.pki / "admin.crt", api_server.pki / "admin.key")
        async with httpx.AsyncClient(base_url=api_server.endpoints.server, verify=tls, timeout=20) as http:
            name = f"test-{number}"
            (await http.post("/api/v1/namespaces", json={"metadata": {"name": name}})).raise_for_status()
            yield cls(name, http)

    def url(self, plural: str, name: str = "", subresource: str = "") -> str:
        parts = (f"{COLLECTIONS[plural]}/namespaces/{self.name}/{plural}", name, subresource)
        return "/".join(part for part in parts if part)

    async def create_object(self, plural: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self.http.post(self.url(plural), json=body, params={"fieldManager": "somebody"})
        response.raise_for_status()
        created: dict[str, Any] = response.json()
        return created

    async def get(self, plural: str, name: str) -> dict[str, Any]:
        response = await self.http.get(self.url(plural, name))
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    async def list(self, plural: str) -> list[dict[str, Any]]:
        response = await self.http.get(self.url(plural))
        response.raise_for_status()
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    async def events_of(self, reason: str) -> list[dict[str, Any]]:
        """All events of this reason, as soon as there is one: an event is posted after the status that it tells of."""
        async with asyncio.timeout(10):
            while not (found := [event for event in await self.list("events") if event["reason"] == reason]):
                await asyncio.sleep(0.05)
        return found

    async def merge(self, plural: str, name: str, patch: dict[str, Any], subresource: str = "") -> None:
        (
            await self.http.patch(
                self.url(plural, name, subresource),
                json=patch,
                params={"fieldManager": "somebody"},
                headers={"Content-Type": "application/merge-patch+json"},
            )
        ).raise_for_status()

    async def delete(self, plural: str, name: str) -> None:
        (await self.http.delete(self.url(plural, name))).raise_for_status()

    async def eventually(
        self, plural: str, name: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 10.0
    ) -> dict[str, Any]:
        """The object as soon as `holds(object)`; fails with what it last was."""
        found: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    response = await self.http.get(self.url(plural, name))
                    if response.status_code == 200:
                        found = response.json()
                        if holds(found):
                            return found
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{plural}/{name} did not become as expected in {seconds} s: {found}") from None


def condition(agent: dict[str, Any], kind: str) -> dict[str, Any]:
    """One condition of an AgentDeployment, {} if it is not there."""
    found = [entry for entry in agent.get("status", {}).get("conditions", []) if entry["type"] == kind]
    return found[0] if found else {}


async def settled(namespace: Namespace) -> dict[str, Any]:
    """The child Deployment once the operator has nothing more to write."""

    def adopted(deployment: dict[str, Any]) -> bool:
        managers = [(entry["manager"], entry["operation"]) for entry in deployment["metadata"]["managedFields"]]
        return ("prewarm", "Apply") in managers and ("prewarm", "Update") not in managers

    return await namespace.eventually("deployments", "support", adopted)
