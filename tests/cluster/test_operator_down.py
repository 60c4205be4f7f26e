"""An operator that is down changes nothing for running agents, and one that comes back goes on where it was."""

from cluster.agents import Agent, revision
from cluster.eventually import eventually
from cluster.operator_release import OperatorRelease
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_agents_serve_and_heal_without_the_operator_which_then_catches_up(
    sandbox: Sandbox, client: ClientPod, operator: OperatorRelease
) -> None:
    agent = sandbox.agent()
    old = agent.wait_until_settled()["status"]["revision"]
    with client.steady(agent) as traffic:
        with operator.stopped():
            deleted = agent.delete_a_pod()
            agent.say("You are a friendly support agent who asks whether that helped.")
            eventually("two pods are warm again", lambda: _warm(agent), lambda names: len(names - {deleted}) == 2)
            assert {revision(pod) for pod in agent.pods()} == {old}
            traffic.go_on(answers=30)
        assert agent.wait_until_settled()["status"]["revision"] != old
    traffic.assert_nothing_failed()


def test_a_rollout_goes_on_when_the_operator_is_killed_in_the_middle(
    sandbox: Sandbox, client: ClientPod, operator: OperatorRelease
) -> None:
    agent = sandbox.agent()
    old = agent.wait_until_settled()["status"]["revision"]
    with client.steady(agent) as traffic:
        agent.say("You are a friendly support agent who asks whether that helped.")
        eventually("the rollout has begun", agent.pods, lambda pods: {revision(pod) for pod in pods} != {old})
        operator.kill()
        agent.scale(3)
        settled = agent.wait_until_settled()
    assert settled["status"]["revision"] != old
    assert settled["status"]["desiredReplicas"] == 3
    traffic.assert_nothing_failed()


def _warm(agent: Agent) -> set[str]:
    return {pod["metadata"]["name"] for pod in agent.ready_pods()}
