"""A hand that takes an agent's pods away is corrected, and users do not notice."""

from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

# Pods that were told to stop serve on until the new ones are warm: a Service falls back on them.
LONG_DRAIN = {"delaySeconds": 60}


def test_a_child_scaled_to_zero_by_hand_is_corrected_within_seconds(sandbox: Sandbox, client: ClientPod) -> None:
    agent = sandbox.agent(drain=LONG_DRAIN)
    agent.wait_until_settled()
    before = agent.deployment()["metadata"]["generation"]
    with client.steady(agent) as traffic:
        sandbox.kube.kubectl("scale", f"deployment/{agent.name}", f"--namespace={sandbox.name}", "--replicas=0")
        after = eventually("the child has two replicas", agent.deployment, _has_two_replicas, seconds=5)
        assert after["metadata"]["generation"] >= before + 2  # to zero and back
        agent.wait_until_settled()
        traffic.go_on(answers=30)
    traffic.assert_nothing_failed()


def test_a_child_deleted_by_hand_comes_back(sandbox: Sandbox, client: ClientPod) -> None:
    agent = sandbox.agent(drain=LONG_DRAIN)
    agent.wait_until_settled()
    old_pods = _names(agent)
    with client.steady(agent) as traffic:
        sandbox.kube.kubectl("delete", "deployment", agent.name, f"--namespace={sandbox.name}")
        eventually("other pods serve", lambda: _names(agent), lambda names: len(names) == 2 and not names & old_pods)
        agent.wait_until_settled()
        traffic.go_on(answers=30)
    traffic.assert_nothing_failed()


def _has_two_replicas(deployment: dict[str, dict[str, int]]) -> bool:
    return deployment["spec"]["replicas"] == 2


def _names(agent: Agent) -> set[str]:
    return {pod["metadata"]["name"] for pod in agent.pods()}
