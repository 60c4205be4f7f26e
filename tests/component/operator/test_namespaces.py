"""An operator that may look into some namespaces only, with Roles and no ClusterRole."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from component.operator import replica
from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane
from prewarm_operator.world.reader import SELECTORS

Agent = dict[str, Any]
USER = {"kind": "ServiceAccount", "name": "operator"}
RULES = [
    {"apiGroups": [resource.group], "resources": [resource.plural], "verbs": ["get", "list", "watch"]}
    for resource in SELECTORS
] + [
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["create", "patch"]},
    {"apiGroups": [""], "resources": ["services", "configmaps", "pods"], "verbs": ["create", "patch"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
    {"apiGroups": ["prewarm.dev"], "resources": ["agentdeployments/status"], "verbs": ["patch"]},
    # Owner references with blockOwnerDeletion ask for it where OwnerReferencesPermissionEnforcement is on.
    {"apiGroups": ["prewarm.dev"], "resources": ["agentdeployments/finalizers"], "verbs": ["update"]},
]


@pytest.fixture
async def other(api_server: ControlPlane, request: pytest.FixtureRequest) -> AsyncIterator[Namespace]:
    """A second namespace of the test's own."""
    async with Namespace.create(api_server, abs(hash(("other", request.node.nodeid))) % 10**8) as created:
        yield created


async def allow(namespace: Namespace, home: str) -> None:
    """Give the service account `operator` of namespace `home` a Role in `namespace`."""
    role = {"metadata": {"name": "operator"}, "rules": RULES}
    binding = {
        "metadata": {"name": "operator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"},
        "subjects": [{**USER, "namespace": home}],
    }
    await namespace.create_object("roles", role)
    await namespace.create_object("rolebindings", binding)


async def kubeconfig_of(namespace: Namespace, api_server: ControlPlane, folder: Path) -> Path:
    """A kubeconfig with a token of the service account `operator` in `namespace`."""
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "operator"}})
    url = namespace.url("serviceaccounts", "operator", "token")
    answer = await namespace.http.post(url, json={"spec": {"expirationSeconds": 3600}})
    answer.raise_for_status()
    config = json.loads(api_server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": answer.json()["status"]["token"]}
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config))
    return file


async def test_a_namespace_that_is_not_there_keeps_no_other_one_from_being_served(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, tmp_path: Path
) -> None:
    kubeconfig = await kubeconfig_of(namespace, api_server, tmp_path)
    await allow(namespace, namespace.name)
    await namespace.create_object("agentdeployments", agent)
    watched = f"{namespace.name},not-there-yet"
    with replica.running(kubeconfig, "some", PREWARM_WATCH_NAMESPACES=watched) as operator:
        await namespace.eventually("deployments", "support", lambda _: True)
        await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 4}}, "scale")
        await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 4)
        await namespace.merge("deployments", "support", {"spec": {"replicas": 0}}, "scale")
        await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 4, seconds=5)
        assert operator.metric("prewarm_operator_watch_restarts_total") == 0


async def test_a_namespace_that_becomes_readable_is_served_from_the_next_listing_on(
    api_server: ControlPlane, namespace: Namespace, other: Namespace, agent: Agent, tmp_path: Path
) -> None:
    kubeconfig = await kubeconfig_of(namespace, api_server, tmp_path)
    await allow(namespace, namespace.name)
    watched = f"{namespace.name},{other.name}"
    with replica.running(kubeconfig, "some", "--resync-seconds=3", PREWARM_WATCH_NAMESPACES=watched) as operator:
        await other.create_object("agentdeployments", agent)
        await allow(other, namespace.name)
        await other.eventually("deployments", "support", lambda _: True)
        await asyncio.sleep(4)
        await other.merge("deployments", "support", {"spec": {"replicas": 0}}, "scale")
        await other.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 3, seconds=2.5)
        assert operator.metric("prewarm_operator_watch_restarts_total") == 0


async def test_an_operator_that_may_look_into_no_namespace_at_all_is_not_ready(
    api_server: ControlPlane, namespace: Namespace, tmp_path: Path
) -> None:
    kubeconfig = await kubeconfig_of(namespace, api_server, tmp_path)
    with replica.start(kubeconfig, "none", PREWARM_WATCH_NAMESPACES=namespace.name) as operator:
        async with asyncio.timeout(20):
            while not operator.is_alive():
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        assert not operator.is_ready()


async def test_other_namespaces_are_left_alone(
    api_server: ControlPlane, namespace: Namespace, other: Namespace, agent: Agent
) -> None:
    await other.create_object("agentdeployments", agent)
    await namespace.create_object("agentdeployments", agent)
    with replica.running(api_server.kubeconfig, "some", PREWARM_WATCH_NAMESPACES=namespace.name):
        await namespace.eventually("deployments", "support", lambda _: True)
        await asyncio.sleep(1)
    assert await other.list("deployments") == []
