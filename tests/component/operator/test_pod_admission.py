"""Namespaces that do not take every pod: what is refused is told before anything rolls, and the old revision stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from component.operator.audit import writes
from component.operator.conftest import install_crds, running
from component.operator.namespace import Namespace, condition

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
Object = dict[str, Any]

ROOT_SIDECAR = {"containers": [{"name": "proxy", "image": "example.com/proxy:1", "securityContext": {"runAsUser": 0}}]}


async def enforce(namespace: Namespace, level: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level}
    await namespace.http.patch(
        f"/api/v1/namespaces/{namespace.name}",
        json={"metadata": {"labels": labels}},
        headers={"Content-Type": "application/merge-patch+json"},
    )


async def quota(namespace: Namespace, hard: dict[str, str], used: dict[str, str]) -> None:
    """A ResourceQuota as the quota controller, which does not run here, would keep it."""
    path = f"/api/v1/namespaces/{namespace.name}/resourcequotas"
    body = {"metadata": {"name": "quota"}, "spec": {"hard": hard}}
    (await namespace.http.post(path, json=body)).raise_for_status()
    await set_used(namespace, hard, used)


async def set_used(namespace: Namespace, hard: dict[str, str], used: dict[str, str]) -> None:
    (
        await namespace.http.patch(
            f"/api/v1/namespaces/{namespace.name}/resourcequotas/quota/status",
            json={"status": {"hard": hard, "used": used}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
    ).raise_for_status()
    await asyncio.sleep(1)  # admission sees quotas through a watch of its own


async def limit_range(namespace: Namespace, **limits: Any) -> None:
    body = {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", **limits}]}}
    (await namespace.http.post(f"/api/v1/namespaces/{namespace.name}/limitranges", json=body)).raise_for_status()
    await asyncio.sleep(1)


async def refused(namespace: Namespace) -> str:
    """The message of the refusal, as soon as there is one."""
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "PodRefused"
    )
    assert condition(found, "Ready")["status"] == "False"
    assert condition(found, "Progressing")["reason"] == "Stuck"
    return str(condition(found, "Ready")["message"])


async def running_revision(namespace: Namespace) -> Object:
    """The template of the child Deployment, once there is one."""
    found = await namespace.eventually("deployments", "support", lambda _: True)
    template: Object = found["spec"]["template"]
    return template


async def test_an_agent_as_it_comes_runs_in_a_restricted_namespace(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await enforce(namespace, "restricted")
    await namespace.create_object("agentdeployments", agent)
    await running_revision(namespace)


async def test_sidecars_and_init_containers_without_security_context_run_in_a_restricted_namespace(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await enforce(namespace, "restricted")
    agent["spec"]["podTemplate"] = {
        "spec": {
            "containers": [{"name": "auth", "image": "example.com/auth:1"}],
            "initContainers": [{"name": "mesh", "image": "example.com/mesh:1", "restartPolicy": "Always"}],
        }
    }
    await namespace.create_object("agentdeployments", agent)
    await running_revision(namespace)


async def test_a_sidecar_that_is_root_is_refused_in_a_restricted_namespace_with_the_reason(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await enforce(namespace, "restricted")
    agent["spec"]["podTemplate"] = {"spec": ROOT_SIDECAR}
    await namespace.create_object("agentdeployments", agent)
    message = await refused(namespace)
    assert 'violates PodSecurity "restricted:latest"' in message
    assert 'container "proxy" must not set runAsUser=0' in message
    assert await namespace.list("deployments") == []


async def test_a_refused_change_leaves_the_old_revision_serving_and_scalable(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await enforce(namespace, "restricted")
    await namespace.create_object("agentdeployments", agent)
    before = await running_revision(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"podTemplate": {"spec": ROOT_SIDECAR}}})
    assert "the old ones stay" in await refused(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 5}}, "scale")
    found = await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 5)
    assert found["spec"]["template"] == before
    events = await namespace.events_of("PodRefused")
    assert [event["type"] for event in events] == ["Warning"]

    await namespace.merge("agentdeployments", "support", {"spec": {"podTemplate": None}})
    await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") != "PodRefused"
    )
    assert await running_revision(namespace) == before


async def test_a_namespace_that_is_repaired_gets_the_refused_revision_by_itself(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await enforce(namespace, "restricted")
    agent["spec"]["podTemplate"] = {"spec": ROOT_SIDECAR}
    await namespace.create_object("agentdeployments", agent)
    await refused(namespace)
    await enforce(namespace, "privileged")
    await namespace.eventually("deployments", "support", lambda _: True, seconds=35)


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        pytest.param(
            {"containers": [{"name": "proxy", "imagee": "example.com/proxy:1"}]},
            'unknown field "spec.containers[0].imagee"',
            id="misspelt-field",
        ),
        pytest.param(
            {"containers": [{"name": "proxy"}]},
            "spec.containers[0].image: Required value",
            id="container-without-image",
        ),
        pytest.param(
            {"containers": [{"image": "example.com/proxy:1"}]},
            "spec.containers[0].name: Required value",
            id="container-without-name",
        ),
        pytest.param({"volumes": [{"emptyDir": {}}]}, "spec.volumes[0].name: Required value", id="volume-without-name"),
        pytest.param(
            {"containers": [{"name": "agent", "volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}]},
            'volumeMounts[0].name: Not found: "nowhere"',
            id="mount-of-no-volume",
        ),
        pytest.param(
            {"containers": [{"name": "proxy", "$patch": "remove"}]},
            'unknown field "spec.containers[0].$patch"',
            id="misspelt-directive",
        ),
        pytest.param(
            {"securityContext": 7}, "cannot unmarshal number into Go struct field PodSpec", id="number-for-an-object"
        ),
        pytest.param({"hostNetwork": "yes"}, "cannot unmarshal string into Go struct field", id="text-for-a-boolean"),
        pytest.param(
            {"runtimeClassName": "missing"}, 'pod rejected: RuntimeClass "missing" not found', id="runtime-class"
        ),
    ],
)
async def test_a_mistake_in_an_overlay_is_told_by_its_path(
    operator: str, namespace: Namespace, agent: Agent, overlay: Object, sentence: str
) -> None:
    await namespace.create_object("agentdeployments", agent)
    before = await running_revision(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"podTemplate": {"spec": overlay}}})
    assert sentence in await refused(namespace)
    assert await running_revision(namespace) == before


async def test_a_new_agent_whose_overlay_has_nameless_items_is_told(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["podTemplate"] = {
        "spec": {"volumes": [{"emptyDir": {}}], "containers": [{"image": "x:1"}, {"name": "agent", "image": None}]}
    }
    await namespace.create_object("agentdeployments", agent)
    message = await refused(namespace)
    for path in ("spec.volumes[0].name", "spec.containers[0].name", "spec.containers[1].image"):
        assert f"{path}: Required value" in message


async def test_a_request_above_its_limit_is_told(operator: str, namespace: Namespace, agent: Agent) -> None:
    agent["spec"]["resources"] = {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}
    await namespace.create_object("agentdeployments", agent)
    assert "must be less than or equal to cpu limit of 1" in await refused(namespace)


async def test_a_priority_class_that_does_not_exist_is_told(operator: str, namespace: Namespace, agent: Agent) -> None:
    agent["spec"]["priorityClassName"] = "urgent"
    await namespace.create_object("agentdeployments", agent)
    assert "no PriorityClass with name urgent was found" in await refused(namespace)


async def test_a_webhook_that_is_away_is_told_and_no_old_pod_goes(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    before = await running_revision(namespace)
    webhook = {
        "name": "policy.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    body = {"metadata": {"name": namespace.name}, "webhooks": [webhook]}
    (await namespace.http.post(path, json=body)).raise_for_status()
    await asyncio.sleep(1)
    await namespace.merge("agentdeployments", "support", {"spec": {"podAnnotations": {"a": "b"}}})
    assert 'failed calling webhook "policy.example.com"' in await refused(namespace)
    assert await running_revision(namespace) == before


async def test_limits_that_a_limit_range_fills_in_are_neither_fought_nor_a_new_revision(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await limit_range(namespace, default={"cpu": "2", "memory": "4Gi"}, defaultRequest={"cpu": "1"})
    await namespace.create_object("agentdeployments", agent)
    template = await running_revision(namespace)
    assert "resources" not in template["spec"]["containers"][0] or not template["spec"]["containers"][0]["resources"]
    # A pod as the ReplicaSet would make it: the LimitRange changes it, and nobody changes it back.
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    pod = {"metadata": {**template["metadata"], "name": "support-1"}, "spec": template["spec"]}
    created = await namespace.create_object("pods", pod)
    assert created["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "2", "memory": "4Gi"}
    await asyncio.sleep(1)
    assert (await namespace.get("pods", "support-1"))["metadata"]["resourceVersion"] == (
        created["metadata"]["resourceVersion"]
    )
    assert await running_revision(namespace) == template


async def test_a_limit_range_that_is_exceeded_is_told(operator: str, namespace: Namespace, agent: Agent) -> None:
    await limit_range(namespace, max={"memory": "1Gi"})
    agent["spec"]["resources"] = {"limits": {"memory": "2Gi"}}
    await namespace.create_object("agentdeployments", agent)
    assert "maximum memory usage per Container is 1Gi, but limit is 2Gi" in await refused(namespace)


async def test_a_quota_that_asks_for_requests_is_told(operator: str, namespace: Namespace, agent: Agent) -> None:
    await quota(namespace, {"requests.cpu": "4"}, {"requests.cpu": "0"})
    await namespace.create_object("agentdeployments", agent)
    assert "must specify requests.cpu for: agent" in await refused(namespace)


async def test_a_quota_that_is_used_up_keeps_a_new_revision_waiting_and_the_old_one_scalable(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["resources"] = {"requests": {"cpu": "1"}}
    await quota(namespace, {"requests.cpu": "4"}, {"requests.cpu": "0"})
    await namespace.create_object("agentdeployments", agent)
    before = await running_revision(namespace)
    await set_used(namespace, {"requests.cpu": "4"}, {"requests.cpu": "4"})
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 4}}, "scale")
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 4)
    await namespace.merge("agentdeployments", "support", {"spec": {"env": [{"name": "NEW", "value": "1"}]}})
    assert "exceeded quota: quota, requested: requests.cpu=1" in await refused(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 2}}, "scale")
    found = await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 2)
    assert found["spec"]["template"] == before


async def test_a_refusal_is_not_asked_about_again_with_every_event(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await enforce(namespace, "restricted")
    agent["spec"]["podTemplate"] = {"spec": ROOT_SIDECAR}
    await namespace.create_object("agentdeployments", agent)
    await refused(namespace)
    for number in range(5):
        await namespace.merge("agentdeployments", "support", {"metadata": {"labels": {"n": str(number)}}})
        await asyncio.sleep(0.2)
    asked = [write for write in writes(api_server, namespace.name) if write.path.endswith("/pods")]
    assert [write.verb for write in asked] == ["create"]


@pytest.fixture
async def namespace_without_account(tmp_path: Path) -> AsyncIterator[Namespace]:
    """A namespace as it is in its first moments, on an API server that looks at service accounts as others do."""
    flags = ("--endpoint-reconciler-type=none",)
    with ControlPlane(tmp_path / "control-plane", api_flags=flags) as control_plane:
        install_crds(control_plane)
        with running(control_plane):
            async with Namespace.create(control_plane, 1) as created:
                yield created


async def test_an_agent_that_was_applied_together_with_its_namespace_does_not_wait(
    namespace_without_account: Namespace, agent: Agent
) -> None:
    namespace = namespace_without_account
    await namespace.create_object("agentdeployments", agent)
    await namespace.eventually("services", "support", lambda _: True)
    await asyncio.sleep(0.5)
    assert await namespace.list("deployments") == []
    assert condition(await namespace.get("agentdeployments", "support"), "Ready").get("reason") != "PodRefused"
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    await namespace.eventually("deployments", "support", lambda _: True, seconds=5)


async def test_a_service_account_that_does_not_exist_is_told(
    namespace_without_account: Namespace, agent: Agent
) -> None:
    agent["spec"]["serviceAccountName"] = "misspelt"
    await namespace_without_account.create_object("agentdeployments", agent)
    assert 'serviceaccount "misspelt" not found' in await refused(namespace_without_account)
