"""Pods come and go under load, and no request fails; and the proof that it is the warm-up gate that keeps it so."""

from copy import deepcopy

from cluster.agents import PROBE_PORT, Agent, component, model_client
from cluster.eventually import eventually
from cluster.kube import Object
from cluster.sandbox import Sandbox, start_program
from cluster.traffic import ClientPod, Report

RELUCTANT_MODEL_SERVER = """
import uvicorn
from prewarm_demo.model_server import build_app
from starlette.responses import PlainTextResponse

app = build_app(latency_seconds=0.02)

async def reluctant(scope, receive, send):
    known = scope["path"] != "/v1/models"
    await (app if known else PlainTextResponse("not now", status_code=503))(scope, receive, send)

uvicorn.run(reluctant, host="0.0.0.0", port=8000, lifespan="off", access_log=False, timeout_keep_alive=90)
"""


def test_scaling_a_rolling_change_and_a_deleted_pod_fail_no_request(sandbox: Sandbox, client: ClientPod) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    with client.steady(agent) as traffic:
        agent.scale(4)
        agent.wait_until_settled()
        traffic.assert_nothing_failed()

        agent.scale(2)
        agent.wait_until_settled()
        traffic.assert_nothing_failed()

        old = agent.read()["status"]["revision"]
        agent.say("You are a friendly support agent who asks whether that helped.")
        assert agent.wait_until_settled()["status"]["revision"] != old
        traffic.assert_nothing_failed()

        deleted = agent.delete_a_pod()
        agent.wait_until_settled()
        assert deleted not in {pod["metadata"]["name"] for pod in agent.pods()}
        _wait_until_every_pod_answers(agent)
    traffic.assert_nothing_failed()


def test_a_single_pod_is_replaced_without_a_failed_request(sandbox: Sandbox, client: ClientPod) -> None:
    agent = sandbox.agent(minReplicas=1, replicas=1, agent=_with_reluctant_model_api(sandbox))
    old = agent.wait_until_settled()["status"]["revision"]
    with client.steady(agent) as traffic:
        agent.say("You are a friendly support agent who asks whether that helped.")
        assert agent.wait_until_settled()["status"]["revision"] != old
        _wait_until_every_pod_answers(agent)
    traffic.assert_nothing_failed()


def test_without_the_warm_up_gate_the_same_rollout_fails_requests(sandbox: Sandbox, client: ClientPod) -> None:
    gated = sandbox.agent("gated", agent=_with_reluctant_model_api(sandbox))
    gated.wait_until_settled()
    sandbox.apply(*_without_gate(gated))
    _wait_until_all_are_warm(sandbox, "app=ungated")
    with client.steady(gated) as with_gate, client.steady(gated, service="ungated") as without_gate:
        gated.say("You are a friendly support agent who asks whether that helped.")
        sandbox.kube.kubectl("rollout", "restart", "deployment/ungated", f"--namespace={sandbox.name}")
        eventually("a pod that is not warm answers", without_gate.report, _met_a_cold_pod)
        gated.wait_until_settled()
        _wait_until_every_pod_answers(gated)
    with_gate.assert_nothing_failed()


def _with_reluctant_model_api(sandbox: Sandbox) -> Object:
    """An agent on a model API of its own, which completes chats, but holds up the warm-up of each pod for 3 seconds.

    It answers the connect warm-up with an error, which is tried again for that long. Meanwhile the process is idle and
    alive: whoever sends it requests then, finds it cold.
    """
    start_program(sandbox, "reluctant-model-server", RELUCTANT_MODEL_SERVER)
    return {"component": component(model_client=model_client("reluctant-model-server"))}


def _without_gate(agent: Agent) -> tuple[Object, Object]:
    """The same pods behind a Service of their own, with probes that only ask whether the process lives."""
    child, labels = agent.deployment()["spec"], {"app": "ungated"}
    pod_spec = deepcopy(child["template"]["spec"])
    for probe in ("startupProbe", "readinessProbe"):
        pod_spec["containers"][0][probe]["httpGet"]["path"] = "/livez"
    ports = [{"port": 80, "targetPort": "http"}]
    service = {"kind": "Service", "metadata": {"name": "ungated"}, "spec": {"selector": labels, "ports": ports}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ungated"},
        "spec": {
            "replicas": child["replicas"],
            "strategy": child["strategy"],
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec},
        },
    }
    return service, deployment


def _wait_until_all_are_warm(sandbox: Sandbox, selector: str) -> None:
    """By the body of /warmupz, since these pods are Ready before."""
    sandbox.kube.kubectl("rollout", "status", "deployment/ungated", f"--namespace={sandbox.name}", "--timeout=60s")
    for pod in sandbox.kube.list("pods", sandbox.name, selector):
        name = pod["metadata"]["name"]

        def warm(name: str = name) -> bool:
            return sandbox.kube.ask_pod(sandbox.name, name, PROBE_PORT, "/warmupz").status_code == 200

        eventually(f"pod {name} is warm", warm)


def _met_a_cold_pod(report: Report) -> bool:
    return report.outcomes.get("status 503", 0) > 0


def _wait_until_every_pod_answers(agent: Agent) -> None:
    """Nobody failed because nobody asked? Every pod that is there now must have had requests."""

    def least() -> float:
        return min(agent.metrics(pod).get("prewarm_agent_requests_total", 0) for pod in agent.pods())

    eventually("every pod has answered requests", least)
