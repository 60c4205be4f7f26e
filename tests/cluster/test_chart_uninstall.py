"""Taking the release away takes no agent away."""

from cluster.operator_release import OperatorRelease
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_agents_outlive_the_release_and_obey_the_next_one(
    sandbox: Sandbox, client: ClientPod, operator: OperatorRelease
) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    with client.steady(agent) as traffic:
        with operator.uninstalled():
            sandbox.kube.kubectl("get", "crd", "agentdeployments.prewarm.dev")
            agent.scale(3)
            traffic.go_on(answers=30)
            assert agent.read()["status"]["desiredReplicas"] == 2  # nobody is there to act
            assert len(agent.ready_pods()) == 2
        assert agent.wait_until_settled()["status"]["desiredReplicas"] == 3
    traffic.assert_nothing_failed()
