"""Every mistake is refused by a real API server in a sentence that names the field and the remedy."""

import json
from typing import Any

import pytest
from apiserver import ApiServer

from prewarm_operator.api import names

COMPONENT = {"component": {"provider": "autogen_agentchat.agents.AssistantAgent", "config": {}}}
CONTAINER = {"container": {"image": "example.com/mine:1", "warmupPath": "/warmupz"}}
SECRET = {"secretKeyRef": {"name": "model", "key": "key"}}


def apply(api: ApiServer, spec: dict[str, Any], name: str = "bad") -> tuple[int, str]:
    """kubectl's exit code and its message on one line."""
    body = {
        "apiVersion": "prewarm.dev/v1alpha1",
        "kind": "AgentDeployment",
        "metadata": {"name": name},
        "spec": spec,
    }
    done = api.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body))
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def component(**fields: Any) -> dict[str, Any]:
    return {"agent": COMPONENT, **fields}


def container(**fields: Any) -> dict[str, Any]:
    return {"agent": {"container": CONTAINER["container"] | fields}}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        pytest.param(component(minReplicas=0), "spec.minReplicas must be at least 1", id="minReplicas-0"),
        pytest.param(
            component(minReplicas=5, maxReplicas=2),
            "spec.maxReplicas (default 10) must not be below spec.minReplicas: raise maxReplicas or lower minReplicas.",
            id="max-below-min",
        ),
        pytest.param(
            component(minReplicas=11),
            "spec.maxReplicas (default 10) must not be below spec.minReplicas",
            id="min-above-the-default-of-max",
        ),
        pytest.param(
            component(replicas=-1), "spec.replicas in body should be greater than or equal to 0", id="replicas"
        ),
        pytest.param(component(mode="Clairvoyant"), 'spec.mode: Unsupported value: "Clairvoyant"', id="unknown-mode"),
        pytest.param({}, "spec.agent: Required value", id="no-agent"),
        pytest.param(
            {"agent": {}},
            "spec.agent is empty: set component (an AutoGen component), entrypoint (module:factory in the image) or "
            "container (an image of your own).",
            id="none-of-component-entrypoint-container",
        ),
        pytest.param(
            {"agent": COMPONENT | {"entrypoint": "agents:build"}},
            "spec.agent may set only one of component, entrypoint and container",
            id="component-and-entrypoint",
        ),
        pytest.param(
            {"agent": COMPONENT | CONTAINER},
            "spec.agent may set only one of component, entrypoint and container",
            id="component-and-container",
        ),
        pytest.param(
            {"agent": {"component": {"config": {}}}},
            "spec.agent.component.provider must name the class of the component",
            id="component-without-provider",
        ),
        pytest.param(
            {"agent": {"component": {"provider": ""}}},
            "spec.agent.component.provider must name the class of the component",
            id="component-with-empty-provider",
        ),
        pytest.param(
            {"agent": {"component": {"provider": 7}}},
            "spec.agent.component.provider in body must be of type string",
            id="provider-is-a-number",
        ),
        pytest.param(
            {"agent": {"entrypoint": "agents.build"}},
            "spec.agent.entrypoint must be written module:factory, for example my_agents.support:build.",
            id="entrypoint-without-factory",
        ),
        pytest.param(
            {"agent": {"entrypoint": "agents/build.py:main"}},
            "spec.agent.entrypoint must be written module:factory",
            id="entrypoint-is-a-file",
        ),
        pytest.param(
            {"agent": CONTAINER, "image": "example.com/other:1"},
            "spec.image and spec.agent.container exclude each other: with agent.container, set only "
            "agent.container.image.",
            id="image-beside-container",
        ),
        pytest.param(
            {"agent": {"container": {"image": "example.com/mine:1"}}},
            "spec.agent.container.warmupPath: Required value",
            id="container-without-warmup-path",
        ),
        pytest.param(
            {"agent": {"container": {"warmupPath": "/warmupz"}}},
            "spec.agent.container.image: Required value",
            id="container-without-image",
        ),
        pytest.param(
            container(warmupPath="warmupz"), "A path of spec.agent.container must start with '/'", id="relative-warmup"
        ),
        pytest.param(
            container(readinessPath=""), "A path of spec.agent.container must start with '/'", id="empty-readiness"
        ),
        pytest.param(container(port=0), "spec.agent.container.port in body should be greater", id="port-0"),
        pytest.param(
            container(probePort=65536), "spec.agent.container.probePort in body should be less", id="port-high"
        ),
        pytest.param(
            component(env=[{"name": "KEY", "value": "x", "valueFrom": SECRET}]),
            "An environment variable of spec.env may set value or valueFrom, not both",
            id="env-value-twice",
        ),
        pytest.param(
            component(env=[{"name": "KEY", "valueFrom": {}}]),
            "valueFrom of an environment variable must set exactly one of secretKeyRef, configMapKeyRef and fieldRef",
            id="env-from-nothing",
        ),
        pytest.param(
            component(env=[{"name": "KEY=value"}]),
            "The name of an environment variable must not contain '='",
            id="env-name-with-value",
        ),
        pytest.param(
            component(env=[{"name": "KEY"}, {"name": "KEY"}]), "spec.env[1]: Duplicate value", id="env-name-twice"
        ),
        pytest.param(
            component(resources={"requests": {"cpu": "half"}}),
            "spec.resources.requests.cpu in body should match",
            id="quantity",
        ),
        pytest.param(component(warmup={"mode": "hot"}), 'spec.warmup.mode: Unsupported value: "hot"', id="warmup-mode"),
        pytest.param(
            component(warmup={"timeoutSeconds": 0}), "spec.warmup.timeoutSeconds in body should be", id="warmup-timeout"
        ),
        pytest.param(
            {"agent": COMPONENT | {"config": {"model": "gpt-4o-mini"}}},
            "spec.agent.config is handed to the factory of spec.agent.entrypoint: set entrypoint, or remove config.",
            id="config-without-entrypoint",
        ),
        pytest.param(
            {"agent": CONTAINER, "security": {"allowCode": True}},
            "spec.auth and spec.security are for the Prewarm agent image",
            id="security-beside-container",
        ),
        pytest.param(
            {"agent": CONTAINER, "auth": {"tokenSecretRef": {"name": "users", "key": "token"}}},
            "spec.auth and spec.security are for the Prewarm agent image",
            id="auth-beside-container",
        ),
        pytest.param(
            component(auth={"tokenSecretRef": {"name": "users"}}),
            "spec.auth.tokenSecretRef.key: Required value",
            id="token-without-key",
        ),
        pytest.param(
            component(auth={"tokenSecretRef": {"name": "users", "key": "token"}}, env=[{"name": "PREWARM_API_TOKEN"}]),
            "spec.auth sets the environment variable PREWARM_API_TOKEN: remove it from spec.env and spec.models.",
            id="token-set-twice",
        ),
        pytest.param(component(concurrencyLimit=0), "spec.concurrencyLimit in body should be", id="concurrency"),
        pytest.param(
            component(drain={"delaySeconds": 61}), "spec.drain.delaySeconds in body should be", id="drain-delay"
        ),
        pytest.param(
            component(drain={"timeoutSeconds": 0}), "spec.drain.timeoutSeconds in body should be", id="drain-timeout"
        ),
        pytest.param(
            component(imagePullPolicy="Sometimes"), "spec.imagePullPolicy: Unsupported value", id="pull-policy"
        ),
        pytest.param(
            component(env=[{"name": "OPENAI_API_KEY"}], models=[{"apiKeySecretRef": {"name": "model", "key": "key"}}]),
            "spec.env and spec.models set the same environment variable: remove it from one of them.",
            id="model-key-set-twice",
        ),
        pytest.param(
            component(
                models=[{"apiKeySecretRef": {"name": "a", "key": "k"}}, {"apiKeySecretRef": {"name": "b", "key": "k"}}]
            ),
            "spec.models[1]: Duplicate value",
            id="two-model-keys-in-one-variable",
        ),
        pytest.param(
            component(models=[{"apiKeySecretRef": {"name": "model"}}]),
            "spec.models[0].apiKeySecretRef.key: Required value",
            id="model-key-without-key",
        ),
        pytest.param(
            component(envFrom=[{"secretRef": {"name": "a"}, "configMapRef": {"name": "b"}}]),
            "An entry of spec.envFrom must set exactly one of secretRef and configMapRef",
            id="env-from-two-objects",
        ),
        pytest.param(
            component(envFrom=[{"prefix": "X_"}]),
            "An entry of spec.envFrom must set exactly one of secretRef and configMapRef",
            id="env-from-no-object",
        ),
        pytest.param(
            component(volumes=[{"name": "tmp", "emptyDir": {}}]),
            "spec.volumes may not use the names tmp and agent, which Prewarm uses itself",
            id="volume-tmp",
        ),
        pytest.param(
            component(volumes=[{"emptyDir": {}}]), "spec.volumes[0].name: Required value", id="volume-without-name"
        ),
        pytest.param(
            component(volumeMounts=[{"name": "x", "mountPath": "/tmp/"}]),
            "spec.volumeMounts may not use /tmp and /etc/prewarm",
            id="mount-over-tmp",
        ),
        pytest.param(
            component(volumeMounts=[{"name": "x", "mountPath": "/etc/prewarm/more"}]),
            "spec.volumeMounts may not use /tmp and /etc/prewarm",
            id="mount-into-the-agent-spec",
        ),
        pytest.param(
            component(tolerations=[{"key": "gpu", "operator": "Is"}]),
            "spec.tolerations[0].operator: Unsupported value",
            id="toleration-operator",
        ),
        pytest.param(
            component(nodeSelector={"spot": True}),
            "spec.nodeSelector.spot in body must be of type string",
            id="node-selector-that-yaml-reads-as-a-boolean",
        ),
        pytest.param(
            component(podAnnotations={"prometheus.io/port": 8181}),
            "spec.podAnnotations.prometheus.io/port in body must be of type string",
            id="annotation-that-yaml-reads-as-a-number",
        ),
        pytest.param(
            component(podAnnotations={"prewarm.dev/revision": "1"}),
            "Annotations may not set prewarm.dev/*",
            id="our-annotation",
        ),
        pytest.param(
            component(podLabels={"team": "a b"}), "spec.podLabels.team in body should match", id="label-with-a-space"
        ),
        pytest.param(
            component(podTemplate={"metadata": {"labels": {"prewarm.dev/agent": "other"}}}),
            "Labels of pods may not set prewarm.dev/*",
            id="our-label-in-the-overlay",
        ),
        pytest.param(
            component(podTemplate={"metadata": {"name": "x"}}),
            'unknown field "spec.podTemplate.metadata.name"',
            id="name-in-the-overlay",
        ),
        pytest.param(
            component(podTemplate={"spec": {"containers": "proxy"}}),
            "spec.podTemplate.spec.containers in body must be of type array",
            id="overlay-whose-containers-are-no-list",
        ),
        pytest.param(
            component(service={"type": "ExternalName"}), "spec.service.type: Unsupported value", id="service-type"
        ),
        pytest.param(component(service={"port": 0}), "spec.service.port in body should be", id="service-port"),
        pytest.param(component(minReplica=2), 'unknown field "spec.minReplica"', id="misspelt-field"),
    ],
)
def test_a_mistake_in_the_spec_is_refused_by_name(api: ApiServer, spec: dict[str, Any], sentence: str) -> None:
    code, message = apply(api, spec)
    assert code != 0
    assert sentence in message


@pytest.mark.parametrize("label", [*names.RECOMMENDED_LABELS, names.LABEL_AGENT, names.LABEL_ORIGIN])
def test_a_label_by_which_pods_are_found_cannot_be_set(api: ApiServer, label: str) -> None:
    code, message = apply(api, component(podLabels={label: "x"}))
    assert code != 0
    assert "choose other keys" in message


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 41, id="41-characters"),
        pytest.param("support.eu", id="dot"),
        pytest.param("Support", id="upper-case"),
        pytest.param("1st-support", id="digit-first"),
    ],
)
def test_a_name_that_no_service_could_carry_is_refused(api: ApiServer, name: str) -> None:
    code, message = apply(api, component(), name)
    assert code != 0
    assert "metadata.name must be at most 40 characters of a-z, 0-9 and '-', start with a letter" in message


def test_a_bad_change_of_a_good_object_is_refused_and_the_object_stays(api: ApiServer) -> None:
    good = {
        "apiVersion": "prewarm.dev/v1alpha1",
        "kind": "AgentDeployment",
        "metadata": {"name": "stays"},
        "spec": component(minReplicas=2),
    }
    assert api.kubectl("apply", "-f", "-", stdin=json.dumps(good)).returncode == 0
    changed = api.kubectl("patch", "pwad", "stays", "--type=merge", "-p", '{"spec": {"minReplicas": 0}}')
    assert changed.returncode != 0
    assert "spec.minReplicas must be at least 1" in changed.stderr
    assert api.kubectl("get", "pwad", "stays", "-o", "jsonpath={.spec.minReplicas}").stdout == "2"
