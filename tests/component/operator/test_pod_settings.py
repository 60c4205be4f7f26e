"""What people set about pods, as it reaches the child Deployment and Service on a real API server."""

import asyncio
from typing import Any

from component.operator.audit import writes
from component.operator.namespace import Namespace

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]
Object = dict[str, Any]


async def made(namespace: Namespace, agent: Agent, **spec: Any) -> Object:
    """The spec of the pods that the operator makes of an agent with these settings."""
    agent["spec"] |= spec
    await namespace.create_object("agentdeployments", agent)
    deployment = await namespace.eventually("deployments", "support", lambda _: True)
    pods: Object = deployment["spec"]["template"]["spec"]
    return pods


def container(pods: Object, name: str = "agent", kind: str = "containers") -> Object:
    (found,) = [item for item in pods[kind] if item["name"] == name]
    return dict(found)


async def test_pull_secrets_reach_the_pods(operator: str, namespace: Namespace, agent: Agent) -> None:
    pods = await made(namespace, agent, imagePullSecrets=[{"name": "registry"}, {"name": "other"}])
    assert pods["imagePullSecrets"] == [{"name": "registry"}, {"name": "other"}]


async def test_a_gpu_is_asked_for_and_its_taint_tolerated(operator: str, namespace: Namespace, agent: Agent) -> None:
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    pods = await made(namespace, agent, resources={"limits": {"nvidia.com/gpu": 1}}, tolerations=[toleration])
    assert container(pods)["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert pods["tolerations"] == [toleration]


async def test_a_node_pool_is_chosen_and_the_pods_are_spread_in_it(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    spread = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    pods = await made(
        namespace,
        agent,
        nodeSelector={"pool": "agents", "kubernetes.io/arch": "amd64"},
        topologySpreadConstraints=[spread],
        affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    )
    assert pods["nodeSelector"] == {"pool": "agents", "kubernetes.io/arch": "amd64"}
    assert pods["topologySpreadConstraints"] == [
        spread | {"labelSelector": {"matchLabels": {"prewarm.dev/agent": "support"}}}
    ]
    assert "nodeAffinity" in pods["affinity"]


async def test_the_key_of_a_model_comes_from_its_secret(operator: str, namespace: Namespace, agent: Agent) -> None:
    pods = await made(
        namespace,
        agent,
        models=[{"apiKeySecretRef": {"name": "model-api", "key": "api-key"}}],
        env=[{"name": "COPY", "value": "$(OPENAI_API_KEY)"}],
        envFrom=[{"prefix": "CRM_", "secretRef": {"name": "crm"}}],
    )
    assert container(pods)["env"] == [
        {"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "model-api", "key": "api-key"}}},
        {"name": "COPY", "value": "$(OPENAI_API_KEY)"},
    ]
    assert container(pods)["envFrom"] == [{"prefix": "CRM_", "secretRef": {"name": "crm"}}]


async def test_the_service_has_the_type_port_and_annotations_that_were_asked_for(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["service"] = {"type": "NodePort", "port": 8000, "annotations": {"example.com/lb": "internal"}}
    await namespace.create_object("agentdeployments", agent)
    service = await namespace.eventually("services", "support", lambda _: True)
    assert service["spec"]["type"] == "NodePort"
    assert [(port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [(8000, "http")]
    assert service["metadata"]["annotations"]["example.com/lb"] == "internal"

    await namespace.merge("agentdeployments", "support", {"spec": {"service": {"type": "ClusterIP", "port": 80}}})
    await namespace.merge("agentdeployments", "support", {"spec": {"service": {"annotations": None}}})

    def taken_back(service: Object) -> bool:
        (port,) = service["spec"]["ports"]
        plain = service["spec"]["type"] == "ClusterIP" and "nodePort" not in port and port["port"] == 80
        return plain and "example.com/lb" not in service["metadata"]["annotations"]

    await namespace.eventually("services", "support", taken_back)


async def test_a_mesh_proxy_runs_beside_the_agent_and_starts_before_it(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    proxy = {
        "name": "istio-proxy",
        "image": "example.com/proxy:1",
        "restartPolicy": "Always",
        "startupProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}},
        "securityContext": {"runAsUser": 1337, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pods = await made(namespace, agent, podTemplate={"spec": {"initContainers": [proxy]}})
    found = container(pods, "istio-proxy", "initContainers")
    assert (found["restartPolicy"], found["securityContext"]["runAsUser"]) == ("Always", 1337)
    assert container(pods)["readinessProbe"]["httpGet"]["path"] == "/readyz"


async def test_init_containers_and_sidecars_without_a_security_context_get_the_restricted_one(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    overlay = {
        "initContainers": [{"name": "seed", "image": "example.com/seed:1"}],
        "containers": [{"name": "auth", "image": "example.com/auth:1"}],
    }
    pods = await made(namespace, agent, podTemplate={"spec": overlay})
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container(pods, "seed", "initContainers")["securityContext"] == restricted
    assert container(pods, "auth")["securityContext"] == restricted


async def test_what_gates_on_warmth_survives_an_overlay_that_takes_it_away(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    overlay = {
        "containers": [
            {
                "name": "agent",
                "startupProbe": None,
                "readinessProbe": {"httpGet": None, "exec": {"command": ["true"]}, "periodSeconds": 5},
                "ports": [{"containerPort": 8080, "name": "web"}],
                "volumeMounts": [{"mountPath": "/etc/prewarm", "$patch": "delete"}],
            }
        ],
        "volumes": [{"name": "agent", "$patch": "delete"}],
    }
    pods = await made(namespace, agent, podTemplate={"spec": overlay})
    own = container(pods)
    assert own["startupProbe"]["httpGet"]["path"] == "/warmupz"
    assert own["startupProbe"]["failureThreshold"] == 300
    assert own["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert own["readinessProbe"]["periodSeconds"] == 5
    assert "exec" not in own["readinessProbe"]
    assert [port["name"] for port in own["ports"]] == ["http", "probes"]
    assert "/etc/prewarm" in [mount["mountPath"] for mount in own["volumeMounts"]]
    assert "agent" in [volume["name"] for volume in pods["volumes"]]


EVERYTHING: Object = {
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [{"name": "registry"}],
    "models": [{"apiKeySecretRef": {"name": "model", "key": "key"}}],
    "env": [{"name": "EMPTY", "value": ""}, {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    "envFrom": [{"configMapRef": {"name": "flags", "optional": False}}],
    "resources": {
        "requests": {"cpu": "0.5", "memory": "1024Mi"},
        "limits": {"memory": "2048Mi", "nvidia.com/gpu": "1"},
    },
    "serviceAccountName": "support",
    "automountServiceAccountToken": True,
    "nodeSelector": {"pool": "a"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "tolerationSeconds": 0, "effect": "NoExecute"}],
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
    ],
    "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1024Mi"}}],
    "volumeMounts": [
        {"name": "cache", "mountPath": "/a", "readOnly": False, "subPath": "a"},
        {"name": "cache", "mountPath": "/b", "subPath": "b"},
    ],
    "podLabels": {"team": "a"},
    "podAnnotations": {"note": ""},
    "service": {"type": "NodePort", "annotations": {"a": "b"}},
    "podTemplate": {
        "metadata": {"labels": {"tier": "b"}},
        "spec": {
            "hostNetwork": False,
            "hostPID": False,
            "shareProcessNamespace": False,
            "schedulerName": "mine",
            "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a", "b"]}],
            "securityContext": {"fsGroup": 1000, "supplementalGroups": []},
            "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
            "initContainers": [{"name": "mesh", "image": "m:1", "restartPolicy": "Always", "stdin": False}],
            "containers": [
                {"name": "auth", "image": "a:1", "ports": [{"containerPort": 9090, "hostPort": 0}], "tty": False},
                {"name": "agent", "livenessProbe": {"initialDelaySeconds": 0, "timeoutSeconds": 0}, "workingDir": ""},
            ],
        },
    },
}


async def test_nothing_is_written_again_whatever_was_set(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    """The API server drops false and empty values and writes quantities anew; that is no drift."""
    await made(namespace, agent, **EVERYTHING)
    await asyncio.sleep(1)
    before = writes(api_server, namespace.name)
    await namespace.merge("agentdeployments", "support", {"metadata": {"annotations": {"looked": "at"}}})
    await asyncio.sleep(2)
    assert len(before) >= 5
    assert writes(api_server, namespace.name) == before
