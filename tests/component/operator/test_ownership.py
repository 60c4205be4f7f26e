"""What is ours, what is not, and what happens to either: with the real controllers of Kubernetes, without nodes."""

import asyncio
import json
import subprocess
from typing import Any

import pytest
from component.operator.audit import writes
from component.operator.conftest import running
from component.operator.controllers import kubectl, pods_of, rolled_out
from component.operator.namespace import Namespace, condition

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
Object = dict[str, Any]


def container(deployment: Object) -> Object:
    found: Object = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


async def events(namespace: Namespace, reason: str) -> list[str]:
    return [event["note"] for event in await namespace.list("events") if event["reason"] == reason]


async def told(namespace: Namespace, reason: str) -> list[str]:
    """The notes of all events of this reason, as soon as there is one."""
    return [event["note"] for event in await namespace.events_of(reason)]


async def test_a_deployment_that_belongs_to_another_agent_is_not_seized(
    operator: str, controllers: None, namespace: Namespace, agent: Agent
) -> None:
    first = await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": "first"}})
    child = await namespace.eventually("deployments", "first", lambda _: True)
    labels, owners = child["metadata"]["labels"], child["metadata"]["ownerReferences"]
    assert owners[0]["uid"] == first["metadata"]["uid"]
    metadata = {"name": "support", "labels": labels, "ownerReferences": owners}
    taken = await namespace.create_object("deployments", {"metadata": metadata, "spec": child["spec"]})
    await namespace.create_object("agentdeployments", agent)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "NameConflict"
    )
    message = condition(found, "Ready")["message"]
    assert message.startswith("Deployment support exists and belongs to AgentDeployment first")
    assert (await namespace.get("deployments", "support"))["spec"] == taken["spec"]
    left_alone = await namespace.get("agentdeployments", "first")
    assert condition(left_alone, "Ready")["reason"] != "NameConflict"


async def test_what_looks_like_ours_but_has_no_owner_is_not_adopted(
    operator: str, controllers: None, namespace: Namespace, agent: Agent
) -> None:
    labels = {"app.kubernetes.io/managed-by": "prewarm", "prewarm.dev/agent": "support"}
    service = {"metadata": {"name": "support", "labels": labels}, "spec": {"ports": [{"port": 1}]}}
    before = await namespace.create_object("services", service)
    budget = {"metadata": {"name": "support", "labels": labels}, "spec": {"selector": {"matchLabels": {"a": "b"}}}}
    await namespace.create_object("poddisruptionbudgets", budget)
    await namespace.create_object("agentdeployments", agent)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "NameConflict"
    )
    message = condition(found, "Ready")["message"]
    assert "PodDisruptionBudget support exists and has no owner" in message.split("; ")[0]
    assert "Service support exists and has no owner" in message.split("; ")[1]
    assert await namespace.get("services", "support") == before
    await namespace.delete("services", "support")
    await namespace.delete("poddisruptionbudgets", "support")
    await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready")["reason"] == "BelowMinimum", seconds=40
    )


EDITS: dict[str, tuple[str, ...]] = {
    "image": ("set", "image", "deployment/support", "agent=example.com/evil:1"),
    "variable": ("set", "env", "deployment/support", "A=changed"),
    "resources": ("set", "resources", "deployment/support", "--requests=memory=1Mi"),
    "probe": ("patch", "deployment", "support", "--type=json", '-p=[{"op": "remove", "path": "PATH/startupProbe"}]'),
    "security": (
        "patch",
        "deployment",
        "support",
        "--type=json",
        '-p=[{"op": "remove", "path": "PATH/securityContext"}]',
    ),
    "container": (
        "patch",
        "deployment",
        "support",
        "--type=json",
        '-p=[{"op": "replace", "path": "PATH/name", "value": "x"}]',
    ),
    "strategy": (
        "patch",
        "deployment",
        "support",
        '-p={"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 1}}}}',
    ),
    "label": ("label", "deployment", "support", "app.kubernetes.io/managed-by=me", "--overwrite"),
    "count": ("scale", "deployment", "support", "--replicas=0"),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_a_hand_edit_of_the_deployment_is_undone_and_told(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent, edit: str
) -> None:
    agent["spec"] |= {"env": [{"name": "A", "value": "1"}], "resources": {"requests": {"memory": "64Mi"}}}
    before = await rolled_out(namespace, agent)
    path = "/spec/template/spec/containers/0"
    kubectl(api_server, namespace, *(word.replace("PATH", path) for word in EDITS[edit]))

    def restored(found: Object) -> bool:
        ours = [each for each in found["spec"]["template"]["spec"]["containers"] if each["name"] == "agent"]
        labels = found["metadata"]["labels"] == before["metadata"]["labels"]
        same = ("replicas", "strategy", "selector")
        return labels and ours == [container(before)] and all(found["spec"][key] == before["spec"][key] for key in same)

    await namespace.eventually("deployments", "support", restored, seconds=5)
    assert len(await told(namespace, "Repaired")) == 1


async def test_somebody_who_insists_costs_few_writes_and_does_not_win(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await rolled_out(namespace, agent)
    before = len(writes(api_server, namespace.name))
    for _ in range(40):
        await namespace.merge("deployments", "support", {"spec": {"replicas": 0}}, "scale")
        await asyncio.sleep(0.1)
    applied = [write for write in writes(api_server, namespace.name)[before:] if "/deployments/" in write.path]
    assert 1 <= len(applied) <= 4
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 3, seconds=5)


async def test_an_addition_that_makes_ours_impossible_is_left_and_told_in_the_api_servers_words(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["resources"] = {"requests": {"memory": "64Mi"}}
    await rolled_out(namespace, agent)
    kubectl(
        api_server, namespace, "set", "resources", "deployment/support", "--limits=memory=1Mi", "--requests=memory=1Mi"
    )
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "ChildRefused"
    )
    assert "must be less than or equal to memory limit of 1Mi" in condition(found, "Ready")["message"]


async def test_what_others_add_to_the_deployment_stays_when_ours_changes(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await rolled_out(namespace, agent)
    sidecar = {"name": "proxy", "image": "example.com/proxy:1"}
    template = {"metadata": {"annotations": {"team": "a"}, "labels": {"team": "a"}}, "spec": {"containers": [sidecar]}}
    patch = {"metadata": {"annotations": {"team": "a"}, "labels": {"team": "a"}}, "spec": {"template": template}}
    kubectl(api_server, namespace, "patch", "deployment", "support", f"-p={json.dumps(patch)}")
    await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": 7, "replicas": 4}})
    found = await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 4)
    for metadata in (found["metadata"], found["spec"]["template"]["metadata"]):
        assert (metadata["annotations"]["team"], metadata["labels"]["team"]) == ("a", "a")
    assert {each["name"] for each in found["spec"]["template"]["spec"]["containers"]} == {"agent", "proxy"}
    assert await events(namespace, "Repaired") == []


async def test_kubectl_rollout_restart_rolls_exactly_once(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await rolled_out(namespace, agent)
    kubectl(api_server, namespace, "rollout", "restart", "deployment/support")
    await namespace.eventually("deployments", "support", lambda found: found["status"].get("updatedReplicas", 9) < 3)
    await asyncio.sleep(2)
    found = await namespace.get("deployments", "support")
    assert "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"]["annotations"]
    assert len(await namespace.list("replicasets")) == 2


RELABELLINGS: dict[str, tuple[str, ...]] = {
    "to another agent": ("prewarm.dev/agent=other", "--overwrite"),
    "out of the Service": ("prewarm.dev/agent-",),
    "out of our sight": ("prewarm.dev/origin-",),
    "out of both": ("prewarm.dev/agent-", "prewarm.dev/origin-"),
    "out of the ReplicaSet": ("pod-template-hash-",),
    "to another revision": ("prewarm.dev/revision=x", "--overwrite"),
}


@pytest.mark.parametrize("relabelling", RELABELLINGS)
async def test_a_pod_that_is_relabelled_by_hand_gets_its_labels_back_and_stays(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent, relabelling: str
) -> None:
    await rolled_out(namespace, agent)
    name, before = min((await pods_of(namespace)).items())
    kubectl(api_server, namespace, "create", "-f", binding(api_server, namespace, name))
    await set_ready(namespace, name)
    kubectl(api_server, namespace, "label", "pod", name, *RELABELLINGS[relabelling])
    await namespace.eventually(
        "pods",
        name,
        lambda pod: pod["metadata"]["labels"] == before["metadata"]["labels"] and "ownerReferences" in pod["metadata"],
        seconds=5,
    )
    async with asyncio.timeout(5):
        while len(await pods_of(namespace)) != 3:
            await asyncio.sleep(0.05)
    assert name in await pods_of(namespace)
    (note,) = await told(namespace, "Repaired")
    assert note.startswith(f"Pod {name} gets back p")


def binding(api_server: ControlPlane, namespace: Namespace, pod: str) -> str:
    """A file that puts the pod on a node: a pod without one is gone as soon as it is deleted."""
    body = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod, "namespace": namespace.name},
        "target": {"kind": "Node", "name": "nowhere"},
    }
    file = api_server.run_dir / f"binding-{pod}.json"
    file.write_text(json.dumps(body))
    return str(file)


async def set_ready(namespace: Namespace, pod: str) -> None:
    await namespace.merge("pods", pod, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "status")


async def test_kubectl_rollout_undo_is_put_back_and_told(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await rolled_out(namespace, agent)
    old = (await namespace.get("agentdeployments", "support"))["status"]["revision"]
    await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": 7}})
    changed = await namespace.eventually(
        "agentdeployments", "support", lambda found: found["status"].get("revision", old) != old
    )
    new = changed["status"]["revision"]
    await namespace.eventually("deployments", "support", lambda found: found["status"].get("observedGeneration", 0) > 1)
    kubectl(api_server, namespace, "rollout", "undo", "deployment/support")

    def has_the_new_revision(found: Object) -> bool:
        return bool(found["spec"]["template"]["metadata"]["labels"]["prewarm.dev/revision"] == new)

    await namespace.eventually("deployments", "support", has_the_new_revision, seconds=5)
    await asyncio.sleep(2)
    assert has_the_new_revision(await namespace.get("deployments", "support"))
    (note,) = await told(namespace, "RolloutUndone")
    assert f"put revision {old} in the place of {new}" in note
    assert len(await namespace.list("replicasets")) == 2


WITHOUT_GRACE = """
from prewarm_operator.decide import children
children.REPLICA_SET_GRACE_SECONDS = 0.0
from prewarm_operator.cli import main
raise SystemExit(main())
"""
"""ConfigMaps of which no ReplicaSet is known are deleted at once, not after a minute."""


async def test_a_config_map_lives_as_long_as_a_replica_set_mounts_it_and_no_longer(
    api_server: ControlPlane, controllers: None, namespace: Namespace, agent: Agent
) -> None:
    with running(api_server, "--resync-seconds=1", program=("-c", WITHOUT_GRACE)):
        await rolled_out(namespace, agent)
        for limit in range(1, 4):
            await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": limit}})
            await namespace.eventually(
                "deployments", "support", lambda found, number=limit + 1: revision_number(found) >= number
            )
        await asyncio.sleep(2)
        assert len(await config_maps(namespace)) == 4
        assert await config_maps(namespace) == await mounted_config_maps(namespace)
        oldest = min(await namespace.list("replicasets"), key=revision_number)
        await namespace.delete("replicasets", oldest["metadata"]["name"])
        async with asyncio.timeout(10):
            while len(await config_maps(namespace)) != 3:
                await asyncio.sleep(0.1)
        assert await config_maps(namespace) == await mounted_config_maps(namespace)


def revision_number(workload: Object) -> int:
    return int(workload["metadata"]["annotations"].get("deployment.kubernetes.io/revision", 0))


async def config_maps(namespace: Namespace) -> set[str]:
    names = {each["metadata"]["name"] for each in await namespace.list("configmaps")}
    return {name for name in names if name.startswith("support-")}


async def mounted_config_maps(namespace: Namespace) -> set[str]:
    return {volume_name(replica_set) for replica_set in await namespace.list("replicasets")}


def volume_name(replica_set: Object) -> str:
    volumes = replica_set["spec"]["template"]["spec"]["volumes"]
    return next(str(volume["configMap"]["name"]) for volume in volumes if "configMap" in volume)


async def test_hand_edits_of_children_that_are_not_watched_are_undone_at_the_next_resync(
    api_server: ControlPlane, controllers: None, namespace: Namespace, agent: Agent
) -> None:
    with running(api_server, "--resync-seconds=1"):
        await rolled_out(namespace, agent)
        service = await namespace.eventually("services", "support", lambda _: True)
        selector = service["spec"]["selector"]
        await namespace.merge("services", "support", {"spec": {"selector": {"prewarm.dev/agent": "other"}}})
        await namespace.merge("poddisruptionbudgets", "support", {"spec": {"minAvailable": 9}})
        (config,) = [
            each for each in await namespace.list("configmaps") if each["metadata"]["name"].startswith("support-")
        ]
        await namespace.delete("configmaps", config["metadata"]["name"])
        await namespace.eventually("services", "support", lambda found: found["spec"]["selector"] == selector)
        await namespace.eventually("poddisruptionbudgets", "support", lambda found: found["spec"]["minAvailable"] == 1)
        again = await namespace.eventually("configmaps", config["metadata"]["name"], lambda _: True)
        assert again["data"] == config["data"]


async def test_a_pod_that_was_taken_out_of_sight_while_no_operator_ran_comes_back(
    api_server: ControlPlane, controllers: None, namespace: Namespace, agent: Agent
) -> None:
    with running(api_server):
        await rolled_out(namespace, agent)
    name = min(await pods_of(namespace))
    kubectl(api_server, namespace, "label", "pod", name, "prewarm.dev/origin-")
    with running(api_server):
        await namespace.eventually(
            "pods", name, lambda pod: pod["metadata"]["labels"].get("prewarm.dev/origin") == "own"
        )


async def test_the_longest_name_fits_everywhere(
    operator: str, controllers: None, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    name = "a" * 40
    await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": name}})
    await namespace.eventually("deployments", name, lambda found: found.get("status", {}).get("replicas") == 3)
    pods = await pods_of(namespace)
    assert all(len(pod) <= 63 and pod.startswith(name) for pod in pods)
    kubectl(api_server, namespace, "label", "pod", min(pods), "prewarm.dev/revision-")
    await namespace.eventually("pods", min(pods), lambda pod: "prewarm.dev/revision" in pod["metadata"]["labels"])
    with pytest.raises(subprocess.CalledProcessError, match="exit status 1"):
        kubectl(api_server, namespace, "patch", "agentdeployment", name, '-p={"metadata": {"name": "b"}}')
