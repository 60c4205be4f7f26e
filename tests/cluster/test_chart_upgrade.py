"""From the previous version of the chart to this one and back, while an agent serves.

The image is the one of today all the way: what counts here is what the releases do to a cluster. The operator tolerates
an API server and rights of before, and need not act under them.
"""

import json
from typing import Any

import yaml
from cluster.agents import Agent
from cluster.kube import Kube
from cluster.operator_release import NAMESPACE, RELEASE, OperatorRelease
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

PREVIOUS = "tests/chart/previous/prewarm"
CURRENT = "charts/prewarm"
TAGS = ("--set=image.tag=dev", "--set=agentImage.tag=dev")


def test_no_agent_notices_an_upgrade_or_a_rollback(
    sandbox: Sandbox, client: ClientPod, operator: OperatorRelease
) -> None:
    kube = sandbox.kube
    agent = sandbox.agent()
    agent.wait_until_settled()
    pods = lives(agent)
    with client.steady(agent) as traffic:
        with operator.uninstalled():
            kube.helm("install", RELEASE, PREVIOUS, f"--namespace={NAMESPACE}", *TAGS)
            assert schema(kube) == schema_of(kube, PREVIOUS)

            operator.install()
            assert schema(kube) == schema_of(kube, CURRENT)
            assert deployment(kube)["status"]["readyReplicas"] == 2
            assert lives(agent) == pods

            kube.helm("rollback", RELEASE, "1", f"--namespace={NAMESPACE}")
            assert schema(kube) == schema_of(kube, PREVIOUS)
            assert deployment(kube)["spec"]["strategy"] == {"type": "Recreate"}
            traffic.go_on(answers=30)
            assert lives(agent) == pods
        agent.scale(3)  # and the operator that is back acts on agents of before
        agent.wait_until_settled()
    assert pods.items() <= lives(agent).items()
    traffic.assert_nothing_failed()


def lives(agent: Agent) -> dict[str, int]:
    """How often the containers of each pod have restarted."""
    return {
        pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"]["containerStatuses"])
        for pod in agent.pods()
    }


def deployment(kube: Kube) -> Any:
    found = kube.get("deployments", NAMESPACE, RELEASE)
    assert found is not None
    return found


def schema(kube: Kube) -> Any:
    crd = json.loads(kube.kubectl("get", "crd", "agentdeployments.prewarm.dev", "--output=json"))
    return crd["spec"]["versions"][0]["schema"]


def schema_of(kube: Kube, chart: str) -> Any:
    rendered = kube.helm("template", RELEASE, chart, "--show-only=templates/crds/*")
    return yaml.safe_load(rendered)["spec"]["versions"][0]["schema"]
