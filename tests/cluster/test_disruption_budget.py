"""A user's own PodDisruptionBudget over the pods of an agent, which have one from Prewarm already."""

import httpx
from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.kube import path
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_a_second_budget_stops_no_rollout_and_refuses_evictions_as_long_as_it_is_there(
    sandbox: Sandbox, client: ClientPod
) -> None:
    agent = sandbox.agent()
    old = agent.wait_until_settled()["status"]["revision"]
    own = {"selector": {"matchLabels": {"prewarm.dev/agent": agent.name}}, "maxUnavailable": 0}
    sandbox.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "own"}, "spec": own})
    with client.steady(agent) as traffic:
        agent.say("You are a friendly support agent who asks whether that helped.")
        assert agent.wait_until_settled()["status"]["revision"] != old
        refused = evict_a_pod(agent)
        assert "more than one PodDisruptionBudget" in refused.json()["message"]
        assert {each["metadata"]["name"] for each in sandbox.kube.list("poddisruptionbudgets", sandbox.name)} == {
            "own",
            agent.name,
        }
        sandbox.kube.delete("poddisruptionbudgets", sandbox.name, "own")
        eventually("a pod may be evicted", lambda: evict_a_pod(agent).status_code, lambda status: status == 201)
        agent.wait_until_settled()
    traffic.assert_nothing_failed()


def evict_a_pod(agent: Agent) -> httpx.Response:
    """As a drain of its node does it."""
    name = agent.ready_pods()[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return agent.kube.http.post(f"{path('pods', agent.namespace, name)}/eviction", json=eviction)
