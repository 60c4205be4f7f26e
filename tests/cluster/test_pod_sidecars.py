"""Pods that carry more than the agent, and namespaces that change or refuse pods, with containers that really run."""

from collections.abc import Callable
from typing import Any

from cluster.agents import Agent
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

Object = dict[str, Any]
NewSandbox = Callable[..., Sandbox]

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
IMAGE = {"image": "localhost/prewarm-demo:dev", "imagePullPolicy": "IfNotPresent"}
RESOURCES = {"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}}
PROXY: Object = {
    "name": "mesh-proxy",
    **IMAGE,
    **RESOURCES,
    "args": ["prewarm_demo.model_server", "--port=15021"],
    "startupProbe": {"httpGet": {"path": "/healthz", "port": 15021}, "periodSeconds": 1, "failureThreshold": 60},
}


def statuses(agent: Agent, kind: str) -> list[Object]:
    return [status for pod in agent.pods() for status in pod["status"].get(kind, ())]


def test_a_mesh_proxy_runs_before_the_agent_and_beside_it_in_a_restricted_namespace(
    new_sandbox: NewSandbox, client: ClientPod
) -> None:
    sandbox = new_sandbox(labels=RESTRICTED)
    agent = sandbox.agent(podTemplate={"spec": {"initContainers": [{**PROXY, "restartPolicy": "Always"}]}})
    agent.wait_until_settled()
    assert client.ask(agent, "hello")[0] == 200
    proxies = statuses(agent, "initContainerStatuses")
    assert len(proxies) == 2
    assert all(proxy["started"] and "running" in proxy["state"] for proxy in proxies)


def test_a_sidecar_whose_port_is_called_http_does_not_get_the_users(sandbox: Sandbox, client: ClientPod) -> None:
    # It would answer too: the model server that it runs speaks the same protocol.
    ports = [{"name": "http", "containerPort": 15021}]
    agent = sandbox.agent(podTemplate={"spec": {"containers": [{**PROXY, "ports": ports}]}})
    agent.wait_until_settled()
    assert client.ask(agent, "hello") == (200, "echo:2:hello")
    slices = sandbox.kube.list("endpointslices", sandbox.name, f"kubernetes.io/service-name={agent.name}")
    assert [port["port"] for each in slices for port in each["ports"]] == [8080]


def test_an_init_container_prepares_what_the_agent_mounts(sandbox: Sandbox) -> None:
    mount = {"name": "data", "mountPath": "/srv/data"}
    write = ["python", "-c", "open('/srv/data/ready', 'w').write('yes')"]
    agent = sandbox.agent(
        volumes=[{"name": "data", "emptyDir": {}}],
        volumeMounts=[{**mount, "readOnly": True}],
        podTemplate={
            "spec": {"initContainers": [{"name": "prepare", **IMAGE, "command": write, "volumeMounts": [mount]}]}
        },
    )
    agent.wait_until_settled()
    pod = agent.ready_pods()[0]["metadata"]["name"]
    # No container is named: the agent is the default one.
    where = ("exec", pod, f"--namespace={sandbox.name}", "--")
    assert sandbox.kube.kubectl(*where, "cat", "/srv/data/ready") == "yes"


def test_a_sidecar_that_is_not_ready_keeps_requests_away_and_warmth_is_still_told_of_the_agent(
    sandbox: Sandbox,
) -> None:
    never = {"name": "slow", **IMAGE, **RESOURCES, "command": ["sleep", "600"]}
    never["readinessProbe"] = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    agent = sandbox.agent(podTemplate={"spec": {"containers": [never]}})
    told = agent.wait_until("Ready", "False", reason="BelowMinimum")
    assert told["message"].startswith("0 warm pods serve")
    assert agent.ready_pods() == []
    agent.patch(podTemplate=None)
    agent.wait_until_settled()


def test_a_refused_change_stops_no_pod_and_loses_no_request(new_sandbox: NewSandbox, client: ClientPod) -> None:
    sandbox = new_sandbox(labels=RESTRICTED)
    agent = sandbox.agent()
    agent.wait_until_settled()
    before = {pod["metadata"]["uid"] for pod in agent.pods()}
    with client.steady(agent) as traffic:
        agent.patch(podTemplate={"spec": {"containers": [{**PROXY, "securityContext": {"runAsUser": 0}}]}})
        told = agent.wait_until("Ready", "False", reason="PodRefused")
        assert 'container "mesh-proxy" must not set runAsUser=0' in told["message"]
        traffic.go_on(answers=60)
        traffic.assert_nothing_failed()
    assert {pod["metadata"]["uid"] for pod in agent.pods()} == before


def test_an_agent_settles_where_a_limit_range_fills_in_limits(sandbox: Sandbox) -> None:
    limits = {"type": "Container", "default": {"cpu": "2", "memory": "1Gi"}, "defaultRequest": {"cpu": "20m"}}
    sandbox.apply({"kind": "LimitRange", "metadata": {"name": "limits"}, "spec": {"limits": [limits]}})
    agent = sandbox.agent(resources={})
    agent.wait_until_settled()
    assert {pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] for pod in agent.pods()} == {"2"}
    generation = agent.deployment()["metadata"]["generation"]
    agent.scale(3)
    agent.wait_until_settled()
    assert agent.deployment()["metadata"]["generation"] == generation + 1
