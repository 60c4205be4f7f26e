"""The operator is upgraded to one with another agent image, under load."""

from cluster.agents import Agent, revision
from cluster.operator_release import OperatorRelease
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_an_upgrade_restarts_no_pod_until_the_user_asks_for_it(
    sandbox: Sandbox, client: ClientPod, operator: OperatorRelease
) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    agent.wait_until("UpToDate", "True")
    pods = lives(agent)
    with client.steady(agent) as traffic:
        repository, _, tag = image_id(agent).partition(":")
        with operator.installed_with(f"agentImage.repository={repository}", f"agentImage.tag={tag}"):
            told = agent.wait_until("UpToDate", "False", reason="UpdateAvailable")
            assert f"becomes {repository}:{tag}" in told["message"]
            traffic.go_on(answers=30)
            assert lives(agent) == pods
            old = {revision(pod) for pod in agent.pods()}
            where = (f"agentdeployment/{agent.name}", f"--namespace={sandbox.name}")
            sandbox.kube.kubectl("annotate", *where, "prewarm.dev/upgrade=v0.2.0")
            agent.wait_until("UpToDate", "True")
            agent.wait_until_settled()
            assert not lives(agent).keys() & pods.keys()
            assert not {revision(pod) for pod in agent.pods()} & old
        agent.wait_until("UpToDate", "False")
        traffic.go_on(answers=30)
    traffic.assert_nothing_failed()


def lives(agent: Agent) -> dict[str, int]:
    """How often the container of each pod has restarted."""
    return {
        pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"]["containerStatuses"])
        for pod in agent.pods()
    }


def image_id(agent: Agent) -> str:
    """Another name of the image that its pods run: sha256 and its digest on the node."""
    identity: str = agent.ready_pods()[0]["status"]["containerStatuses"][0]["imageID"]
    return identity
