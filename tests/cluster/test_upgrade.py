"""The operator is upgraded to another one under load: another program, which renders pods in another way and comes with
another agent image.
"""

from cluster.agents import Agent, revision
from cluster.operator_release import OperatorRelease
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

ANOTHER = "localhost/prewarm-operator-another"  # tests/cluster/another-operator.Dockerfile says what is different


def test_an_upgrade_restarts_no_pod_until_the_user_asks_for_it(
    sandbox: Sandbox, client: ClientPod, operator: OperatorRelease
) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    agent.wait_until("UpToDate", "True")
    pods = lives(agent)
    with client.steady(agent) as traffic:
        grace = grace_seconds(agent)
        repository, _, tag = image_id(agent).partition(":")
        images = (f"image.repository={ANOTHER}", f"agentImage.repository={repository}", f"agentImage.tag={tag}")
        with operator.installed_with(*images):
            told = agent.wait_until("UpToDate", "False", reason="UpdateAvailable")
            assert f"becomes {repository}:{tag}" in told["message"]
            assert "becomes that of renderer another" in told["message"]
            traffic.go_on(answers=30)
            assert lives(agent) == pods
            old = {revision(pod) for pod in agent.pods()}
            where = (f"agentdeployment/{agent.name}", f"--namespace={sandbox.name}")
            sandbox.kube.kubectl("annotate", *where, "prewarm.dev/upgrade=v0.2.0")
            agent.wait_until("UpToDate", "True")
            agent.wait_until_settled()
            assert not lives(agent).keys() & pods.keys()
            assert not {revision(pod) for pod in agent.pods()} & old
            assert grace_seconds(agent) == {each + 1 for each in grace}
            pods = lives(agent)
        agent.wait_until("UpToDate", "False")
        traffic.go_on(answers=30)
        assert lives(agent) == pods  # the way back restarts nothing either
    traffic.assert_nothing_failed()


def lives(agent: Agent) -> dict[str, int]:
    """How often the container of each pod has restarted."""
    return {
        pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"]["containerStatuses"])
        for pod in agent.pods()
    }


def grace_seconds(agent: Agent) -> set[int]:
    """What its pods get to end: the other operator gives them one second more."""
    return {pod["spec"]["terminationGracePeriodSeconds"] for pod in agent.pods()}


def image_id(agent: Agent) -> str:
    """Another name of the image that its pods run: sha256 and its digest on the node."""
    identity: str = agent.ready_pods()[0]["status"]["containerStatuses"][0]["imageID"]
    return identity
