"""The operator with the rights that the chart gives it, and no others: it needs all of them, and asks for no more."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from component.operator.chart_release import Release, Right
from component.operator.namespace import Namespace, condition
from helmcli import Object, of_kind, render

from devcluster.controlplane import STANDALONE_API_FLAGS, ControlPlane

ASKED_BY_ADMISSION: Right = ("prewarm.dev", "agentdeployments/finalizers", "update")
"""No request of ours: admission asks whether we might, when a child names its owner."""

WITHOUT_GRACE = "from prewarm_operator.decide import children; children.REPLICA_SET_GRACE_SECONDS = 0.0; "
"""ConfigMaps without a ReplicaSet are deleted at once: there is nobody here to make one."""

Agent = dict[str, Any]


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    """Of an API server that checks owner references, as OpenShift does."""
    flags = (*STANDALONE_API_FLAGS, "--enable-admission-plugins=OwnerReferencesPermissionEnforcement")
    with ControlPlane(tmp_path / "control-plane", api_flags=flags) as server:
        yield Release(server, tmp_path)


@pytest.fixture
async def namespace(release: Release) -> AsyncIterator[Namespace]:
    async with Namespace.create(release.server, 1) as created:
        await created.create_object("serviceaccounts", {"metadata": {"name": "default"}})
        yield created


def granted(rendered: list[Object]) -> set[Right]:
    return {
        (group, resource, verb)
        for role in of_kind(rendered, "ClusterRole") + of_kind(rendered, "Role")
        if role["metadata"]["name"] in ("prewarm", "prewarm-leader-election")
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


async def a_typical_run(release: Release, namespace: Namespace, agent: Agent) -> None:
    """All that the operator is made for: new agents, changes, hands, names that are taken, pods, a restart."""
    with release.operator():
        await namespace.create_object("agentdeployments", agent)
        deployment = await settled(namespace)
        await namespace.merge("deployments", "support", {"spec": {"replicas": 0}}, "scale")
        await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 3)
        await a_hand_takes_a_pod_away(namespace, deployment)
        await names_that_are_taken(namespace, agent)
    change = {"spec": {"warmup": {"timeoutSeconds": 99}}}
    await namespace.merge("agentdeployments", "support", change)
    with release.operator(WITHOUT_GRACE):
        old = mounted(deployment)
        await namespace.eventually("deployments", "support", lambda found: mounted(found) != old)
    await asyncio.sleep(1.1)  # the age of a ConfigMap is known in whole seconds
    with release.operator(WITHOUT_GRACE):
        await gone(namespace, "configmaps", old)


async def settled(namespace: Namespace) -> Object:
    def adopted(child: Object) -> bool:
        return not [entry for entry in child["metadata"]["managedFields"] if entry["operation"] == "Update"]

    for plural in ("services", "poddisruptionbudgets"):
        await namespace.eventually(plural, "support", adopted)
    return await namespace.eventually("deployments", "support", adopted)


async def a_hand_takes_a_pod_away(namespace: Namespace, deployment: Object) -> None:
    """The test plays the controllers that make ReplicaSet and pod, and then the hand."""
    template = deployment["spec"]["template"]
    selector = deployment["spec"]["selector"]
    body = {"metadata": {"name": "support-1", "labels": template["metadata"]["labels"]}}
    maker = await namespace.create_object("replicasets", {**body, "spec": {"selector": selector, "template": template}})
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": True}
    owner = {**reference, "name": "support-1", "uid": maker["metadata"]["uid"]}
    metadata = {"name": "support-1-x", "labels": template["metadata"]["labels"], "ownerReferences": [owner]}
    await namespace.create_object("pods", {"metadata": metadata, "spec": template["spec"]})
    await namespace.merge("pods", "support-1-x", {"metadata": {"labels": {"prewarm.dev/agent": None}}})
    await namespace.eventually("pods", "support-1-x", lambda pod: "prewarm.dev/agent" in pod["metadata"]["labels"])
    await namespace.delete("replicasets", "support-1")


async def names_that_are_taken(namespace: Namespace, agent: Agent) -> None:
    """Of each kind of child. What a ConfigMap will be called is learned from an agent of the same name before."""
    for plural, spec in FOREIGN.items():
        name = f"taken-{plural}"
        wanted = name
        if plural == "configmaps":
            await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": name}})
            wanted = mounted(await namespace.eventually("deployments", name, lambda _: True))
            await namespace.delete("agentdeployments", name)
            await gone(namespace, "agentdeployments", name)
            for child in ("deployments", "services", "poddisruptionbudgets"):
                await namespace.delete(child, name)
            await namespace.delete("configmaps", wanted)
        await namespace.create_object(plural, {"metadata": {"name": wanted}, **spec})
        await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": name}})
        await namespace.eventually(
            "agentdeployments", name, lambda found: condition(found, "Ready").get("reason") == "NameConflict"
        )


CONTAINER = {"name": "x", "image": "x"}
LABELS = {"app": "x"}
FOREIGN: dict[str, Object] = {
    "deployments": {
        "spec": {
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}},
        }
    },
    "services": {"spec": {"ports": [{"port": 1}]}},
    "poddisruptionbudgets": {"spec": {"selector": {"matchLabels": LABELS}}},
    "configmaps": {},
}


def mounted(deployment: Object) -> str:
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    (name,) = [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
    return str(name)


async def gone(namespace: Namespace, plural: str, name: str) -> None:
    async with asyncio.timeout(10):
        while name in [item["metadata"]["name"] for item in await namespace.list(plural)]:
            await asyncio.sleep(0.05)


async def test_every_right_is_used_and_no_other_is_asked_for(
    release: Release, namespace: Namespace, agent: Agent
) -> None:
    release.install()
    await a_typical_run(release, namespace, agent)
    assert release.asked("forbid") == set()
    assert release.asked("allow") == granted(render()) - {ASKED_BY_ADMISSION}


async def test_the_right_that_only_admission_asks_for_is_needed(
    release: Release, namespace: Namespace, agent: Agent
) -> None:
    release.install()
    role = json.loads(release.run("kubectl", "get", "clusterrole", "prewarm", "--output=json"))
    (index,) = [
        number for number, rule in enumerate(role["rules"]) if "agentdeployments/finalizers" in rule["resources"]
    ]
    patch = json.dumps([{"op": "remove", "path": f"/rules/{index}"}])
    release.run("kubectl", "patch", "clusterrole", "prewarm", "--type=json", f"--patch={patch}")
    with release.operator():
        await namespace.create_object("agentdeployments", agent)
        found = await namespace.eventually(
            "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "ChildRefused"
        )
    assert "cannot set blockOwnerDeletion" in condition(found, "Ready")["message"]


async def test_a_namespaced_operator_gets_along_with_roles(
    release: Release, namespace: Namespace, agent: Agent
) -> None:
    release.install(f"--set=watchNamespaces={{{namespace.name}}}")
    async with Namespace.create(release.server, 2) as other:
        await other.create_object("agentdeployments", agent)
        with release.operator(PREWARM_WATCH_NAMESPACES=namespace.name):
            await namespace.create_object("agentdeployments", agent)
            await settled(namespace)
        assert release.asked("forbid") == set()
        assert await other.list("deployments") == []
