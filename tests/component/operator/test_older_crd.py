"""The chart is upgraded, the CRDs are not: the API server drops what the older kind does not know."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from component.operator import replica
from component.operator.audit import writes
from component.operator.namespace import Namespace, settled
from component.operator.replica import Replica

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/agentdeployments.prewarm.dev"


@pytest.fixture
def operator(api_server: ControlPlane) -> Iterator[Replica]:
    with replica.running(api_server.kubeconfig, "newer") as started:
        yield started


async def forget_field(namespace: Namespace, field: str) -> None:
    """Take a field of the status out of the kind, and return when the API server drops it."""
    path = f"/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/{field}"
    patch = [{"op": "remove", "path": path}]
    headers = {"Content-Type": "application/json-patch+json"}
    (await namespace.http.patch(CRD, json=patch, headers=headers)).raise_for_status()
    await asyncio.sleep(2)


async def test_a_status_that_an_older_crd_keeps_in_part_is_not_written_again_and_again(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, operator: Replica
) -> None:
    await forget_field(namespace, "scaling")
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    found = await namespace.eventually("agentdeployments", "support", lambda found: "revision" in found["status"])
    assert "scaling" not in found["status"]
    await asyncio.sleep(1)

    def statuses() -> int:
        return sum(write.path.endswith("/support/status") for write in writes(api_server, namespace.name))

    before = statuses()
    assert before >= 1
    for number in range(5):  # each a reconcile that changes nothing
        await namespace.merge("agentdeployments", "support", {"metadata": {"labels": {"n": str(number)}}})
        await asyncio.sleep(0.3)
    assert statuses() == before
