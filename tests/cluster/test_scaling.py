"""Mode Auto with real pods: their load streams reach the operator through the cluster's network, under its own RBAC."""

from cluster.agents import condition
from cluster.eventually import eventually
from cluster.kube import Object
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_the_number_of_pods_follows_the_load_and_nothing_fails(sandbox: Sandbox, client: ClientPod) -> None:
    bounds = {"mode": "Auto", "minReplicas": 1, "maxReplicas": 3}
    agent = sandbox.agent(**bounds, concurrencyLimit=20, targetConcurrency=1)
    agent.wait_until("ScalingActive", "True", reason="PrewarmScales", seconds=90)
    with client.steady(agent, rate_per_second=80) as traffic:
        found = eventually("more pods are wanted", agent.read, _wants_more, seconds=30)
        assert {term["name"] for term in found["status"]["scaling"]["terms"]} >= {"reactive", "forecast"}
        eventually("more pods serve", agent.ready_pods, lambda pods: len(pods) >= 2, seconds=60)
        traffic.go_on(answers=100)
        traffic.assert_nothing_failed()
    assert condition(agent.read(), "ScalingActive")["status"] == "True"


def _wants_more(agent: Object) -> bool:
    return bool(agent["status"]["desiredReplicas"] >= 2)
