"""The kind CapacityBuffer as far as we use it, to be installed and removed by tests as autoscalers of nodes do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from component.operator.namespace import Namespace

NAME = "capacitybuffers.autoscaling.x-k8s.io"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REFERENCE = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
SPEC = {"podTemplateRef": REFERENCE, "replicas": {"type": "integer", "minimum": 0}}
VERSION = {
    "name": "v1beta1",
    "served": True,
    "storage": True,
    "schema": {
        "openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": SPEC}}},
    },
}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    # What an API of this group must say of its approval.
    "metadata": {"name": NAME, "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"}},
    "spec": {
        "group": "autoscaling.x-k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "CapacityBuffer", "plural": "capacitybuffers"},
        "versions": [VERSION],
    },
}


@asynccontextmanager
async def served(by: Namespace) -> AsyncIterator[None]:
    """While the body runs."""
    (await by.http.post(CRDS, json=CRD)).raise_for_status()
    try:
        await _is(by, served=True)
        yield
    finally:
        (await by.http.delete(f"{CRDS}/{NAME}")).raise_for_status()
        await _is(by, served=False)


async def _is(by: Namespace, *, served: bool) -> None:
    async with asyncio.timeout(20):
        while (await by.http.get(by.url("capacitybuffers"))).is_success is not served:
            await asyncio.sleep(0.1)
