"""Hands and autoscalers at the children of an agent that serves."""

from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_a_warm_pod_that_a_hand_gives_to_another_agent_comes_back_warm(sandbox: Sandbox, client: ClientPod) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    before = uids(agent)
    pod = agent.ready_pods()[0]["metadata"]["name"]
    with client.steady(agent) as traffic:
        sandbox.kube.kubectl(
            "label", "pod", pod, f"--namespace={sandbox.name}", "prewarm.dev/agent=another", "--overwrite"
        )
        eventually("its own pods serve again", lambda: uids(agent), lambda seen: seen == before, seconds=20)
        agent.wait_until_settled()
        traffic.go_on(answers=30)
    assert uids(agent) == before
    traffic.assert_nothing_failed()


def test_an_undone_rollout_is_put_back_and_no_request_is_lost(sandbox: Sandbox, client: ClientPod) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    agent.say("You are terse.")
    wanted = agent.wait_until_settled()["status"]["revision"]
    with client.steady(agent) as traffic:
        sandbox.kube.kubectl("rollout", "undo", f"deployment/{agent.name}", f"--namespace={sandbox.name}")
        eventually("the undo is told", lambda: reasons(sandbox), lambda seen: "RolloutUndone" in seen, seconds=10)
        assert agent.wait_until_settled()["status"]["revision"] == wanted
        traffic.go_on(answers=30)
    traffic.assert_nothing_failed()


def test_an_autoscaler_on_the_child_is_named_and_not_fought(sandbox: Sandbox) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": agent.name}
    sandbox.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web"},
            # Without metrics it still keeps its own minimum.
            "spec": {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 9},
        }
    )
    told = agent.wait_until("ScalingActive", "False", reason="AutoscalerOnChild")
    assert "HorizontalPodAutoscaler web" in told["message"]
    eventually("three pods serve", agent.ready_pods, lambda pods: len(pods) == 3, seconds=90)
    generation = agent.deployment()["metadata"]["generation"]
    agent.patch(concurrencyLimit=50)
    status = agent.wait_until_settled()["status"]
    assert status["desiredReplicas"] == 3
    assert agent.deployment()["metadata"]["generation"] == generation + 1
    sandbox.kube.kubectl("delete", "hpa", "web", f"--namespace={sandbox.name}")
    agent.wait_until("ScalingActive", "True")
    assert agent.read()["status"]["scaling"]["reason"] == "HeldAfterAutoscaler"
    assert len(agent.ready_pods()) == 3


def uids(agent: Agent) -> set[str]:
    return {pod["metadata"]["uid"] for pod in agent.pods()}


def reasons(sandbox: Sandbox) -> set[str]:
    return {event["reason"] for event in sandbox.kube.list("events", sandbox.name)}
