"""What the API server makes of good objects, and what people and autoscalers get from it."""

import json
from typing import Any

import pytest
from apiserver import ApiServer

from prewarm_operator.api.agentdeployment import AgentDeployment
from prewarm_operator.api.status import AgentDeploymentStatus, Condition, ScalingStatus, StartupStatus

COLLECTION = "/apis/prewarm.dev/v1alpha1/namespaces/default/agentdeployments"
COMPONENT = {
    "provider": "autogen_agentchat.agents.AssistantAgent",
    "component_type": "agent",
    "config": {"name": "support", "tools": [], "description": None, "model_client": {"provider": "x", "config": {}}},
}


def create(api: ApiServer, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    body = {
        "apiVersion": "prewarm.dev/v1alpha1",
        "kind": "AgentDeployment",
        "metadata": {"name": name},
        "spec": spec,
    }
    answer = api.http.post(COLLECTION, json=body, params={"fieldValidation": "Strict"})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def test_a_minimal_object_gets_the_documented_defaults_and_nothing_else(api: ApiServer) -> None:
    created = create(api, "minimal", {"agent": {"component": COMPONENT}})
    assert created["spec"] == {
        "agent": {"component": COMPONENT},
        "mode": "Auto",
        "replicas": 1,
        "minReplicas": 1,
        "maxReplicas": 10,
        "concurrencyLimit": 100,
        "scaling": {"headroom": 0, "targetColdPercent": 1, "paused": False},
        "warmup": {"mode": "connect", "required": False, "timeoutSeconds": 300},
        "drain": {"delaySeconds": 5, "timeoutSeconds": 60},
        "service": {"type": "ClusterIP", "port": 80},
        "automountServiceAccountToken": False,
    }


def test_the_models_default_as_the_api_server_does(api: ApiServer) -> None:
    sent = {"agent": {"container": {"image": "example.com/mine:1", "warmupPath": "/w"}}, "drain": {"delaySeconds": 0}}
    created = create(api, "defaulted", sent)
    assert AgentDeployment.model_validate(created).spec == AgentDeployment.model_validate({"spec": sent}).spec


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(
            {
                "agent": {"entrypoint": "my_agents.support:build", "config": {"model": {"name": "fast", "n": 1}}},
                "image": "example.com/a:1",
            },
            id="entrypoint",
        ),
        pytest.param(
            {
                "agent": {
                    "container": {
                        "image": "example.com/mine@sha256:" + "0" * 64,
                        "port": 9000,
                        "probePort": 9001,
                        "warmupPath": "/warm",
                        "readinessPath": "/ready",
                        "command": ["serve"],
                        "args": ["--fast"],
                    }
                }
            },
            id="container",
        ),
        pytest.param(
            {
                "agent": {"component": COMPONENT},
                "replicas": 0,
                "minReplicas": 3,
                "maxReplicas": 3,
                "imagePullPolicy": "IfNotPresent",
                "env": [
                    {"name": "PLAIN", "value": ""},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "model", "key": "key", "optional": True}}},
                    {"name": "FLAGS", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "all"}}},
                    {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "envFrom": [{"prefix": "CRM_", "secretRef": {"name": "crm"}}, {"configMapRef": {"name": "flags"}}],
                "models": [
                    {"envVar": "OPENAI_API_KEY", "apiKeySecretRef": {"name": "model", "key": "key"}},
                    {"envVar": "GEMINI_API_KEY", "apiKeySecretRef": {"name": "other", "key": "key"}},
                ],
                "resources": {
                    "requests": {"cpu": 1, "memory": "512Mi"},
                    "limits": {"memory": "1.5Gi", "nvidia.com/gpu": 1},
                },
                "imagePullSecrets": [{"name": "registry"}],
                "serviceAccountName": "support",
                "automountServiceAccountToken": True,
                "nodeSelector": {"kubernetes.io/arch": "amd64"},
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2},
                    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
                ],
                "priorityClassName": "high",
                "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}],
                "volumeMounts": [
                    {"name": "cache", "mountPath": "/tmp/cache"},
                    {"name": "cache", "mountPath": "/etc/prewarmed", "subPath": "b", "readOnly": True},
                ],
                "podLabels": {"team": "a", "app.kubernetes.io/part-of": "shop"},
                "podAnnotations": {"prometheus.io/port": "8181"},
                "service": {"type": "LoadBalancer", "port": 8000, "annotations": {"example.com/lb": "internal"}},
                "podTemplate": {
                    "metadata": {"labels": {"tier": "x"}, "annotations": {"a/b": "c"}},
                    "spec": {
                        "runtimeClassName": "gvisor",
                        "securityContext": None,
                        "containers": [
                            {"name": "proxy", "image": "example.com/proxy:1"},
                            {"$patch": "delete", "name": "x"},
                        ],
                    },
                },
                "warmup": {"mode": "live", "required": True, "timeoutSeconds": 3600},
                "security": {"allowCode": True},
                "auth": {"tokenSecretRef": {"name": "users", "key": "token"}},
                "drain": {"delaySeconds": 0, "timeoutSeconds": 3600},
                "concurrencyLimit": 1,
            },
            id="every-field",
        ),
    ],
)
def test_what_was_written_is_stored_as_it_was_written(
    api: ApiServer, spec: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    created = create(api, f"stored-{request.node.callspec.id}", spec)
    for field, value in spec.items():
        assert created["spec"][field] == value


def test_a_model_key_whose_variable_is_not_named_is_the_one_of_openai(api: ApiServer) -> None:
    key = {"apiKeySecretRef": {"name": "model-api", "key": "api-key"}}
    created = create(api, "model-key", {"agent": {"component": COMPONENT}, "models": [key]})
    assert created["spec"]["models"] == [{"envVar": "OPENAI_API_KEY", **key}]


def test_a_name_of_40_characters_is_accepted(api: ApiServer) -> None:
    create(api, "a" * 40, {"agent": {"entrypoint": "a:b"}})


def test_an_autoscaler_reads_and_writes_the_scale(api: ApiServer) -> None:
    create(api, "scaled", {"agent": {"entrypoint": "a:b"}})
    scale = api.http.get(f"{COLLECTION}/scaled/scale").json()
    assert scale["spec"] == {"replicas": 1}
    scale["spec"]["replicas"] = 4
    assert api.http.put(f"{COLLECTION}/scaled/scale", json=scale).status_code == 200
    assert api.http.get(f"{COLLECTION}/scaled").json()["spec"]["replicas"] == 4
    assert api.kubectl("scale", "pwad/scaled", "--replicas=2").returncode == 0
    assert api.http.get(f"{COLLECTION}/scaled").json()["spec"]["replicas"] == 2


def patch_status(api: ApiServer, name: str, status: AgentDeploymentStatus) -> dict[str, Any]:
    body = {"status": status.model_dump(mode="json", exclude_none=True)}
    answer = api.http.patch(
        f"{COLLECTION}/{name}/status",
        content=json.dumps(body),
        params={"fieldValidation": "Strict"},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text
    patched: dict[str, Any] = answer.json()
    return patched


def test_the_status_of_an_object_that_nothing_is_known_about_is_accepted(api: ApiServer) -> None:
    create(api, "fresh", {"agent": {"entrypoint": "a:b"}})
    patch_status(api, "fresh", AgentDeploymentStatus())


def test_a_full_status_is_accepted_and_shown_in_columns_and_scale(api: ApiServer) -> None:
    create(api, "shown", {"agent": {"entrypoint": "a:b"}})
    ready = Condition(
        type="Ready",
        status="True",
        reason="AllWarm",
        message="3 of 3 pods are warm.",
        last_transition_time="2026-11-25T10:00:00Z",
        observed_generation=1,
    )
    status = AgentDeploymentStatus(
        observed_generation=1,
        desired_replicas=3,
        replicas=4,
        ready_replicas=3,
        available_replicas=3,
        updated_replicas=2,
        selector="prewarm.dev/agent=shown",
        revision="0123456789",
        startup=StartupStatus(created_to_ready_p50_seconds=1.5, created_to_ready_p90_seconds=2.25, samples=4),
        scaling=ScalingStatus(reason="AsAsked", message="spec.replicas is 3."),
        conditions=(ready,),
    )
    patched = patch_status(api, "shown", status)
    assert AgentDeployment.model_validate(patched).status == status

    scale = api.http.get(f"{COLLECTION}/shown/scale").json()
    assert scale["status"] == {"replicas": 4, "selector": "prewarm.dev/agent=shown"}

    header, row = api.kubectl("get", "pwad", "shown", "-o", "wide").stdout.splitlines()
    assert header.split("  ")[0] == "NAME"
    for column in ("READY", "DESIRED", "WARM", "UP-TO-DATE", "START P90 (S)", "AGE", "REASON", "MESSAGE"):
        assert column in header
    assert row.split()[:6] == ["shown", "True", "3", "3", "2", "2.25"]
    assert row.endswith("AllWarm   3 of 3 pods are warm.")


def test_a_duplicate_condition_is_refused(api: ApiServer) -> None:
    create(api, "twice", {"agent": {"entrypoint": "a:b"}})
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "A",
        "message": "",
        "lastTransitionTime": "2026-11-25T10:00:00Z",
    }
    answer = api.http.patch(
        f"{COLLECTION}/twice/status",
        content=json.dumps({"status": {"conditions": [ready, ready]}}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.status_code == 422
    assert "status.conditions[1]: Duplicate value" in answer.json()["message"]


def test_explain_tells_what_every_field_is(api: ApiServer) -> None:
    explained = api.kubectl("explain", "agentdeployment.spec", "--recursive=false").stdout
    words = " ".join(explained.split())
    assert "Environment variables of the agent's container." in words
    assert "Number of warm pods that are always there, at least 1. Default: 1." in words
    assert "What to run: exactly one of component, entrypoint and container." in words


def test_the_object_is_found_under_its_short_name_and_its_categories(api: ApiServer) -> None:
    create(api, "found", {"agent": {"entrypoint": "a:b"}})
    for word in ("pwad", "prewarm", "all"):
        assert "agentdeployment.prewarm.dev/found" in api.kubectl("get", word, "-o", "name").stdout
