"""A key changes, and `prewarm restart` brings it into the pods while users go on sending."""

import os
import subprocess
import sys
from pathlib import Path

from cluster.eventually import eventually
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

COMMAND = (sys.executable, "-m", "prewarm_operator.commands.main")
PRINT_KEY = "import os; print(os.environ['OPENAI_API_KEY'])"
SOURCE = Path(__file__).parents[2] / "operator" / "src"


def test_a_restart_after_a_secret_changed_fails_no_request_and_all_pods_are_new(
    sandbox: Sandbox, client: ClientPod
) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    old = {pod["metadata"]["uid"] for pod in agent.pods()}
    with client.steady(agent) as traffic:
        sandbox.apply({"kind": "Secret", "metadata": {"name": "model-api"}, "stringData": {"api-key": "another-key"}})
        place = ("--namespace", sandbox.name, "--kubeconfig", str(sandbox.kube.kubeconfig))
        done = subprocess.run(
            [*COMMAND, "restart", agent.name, *place],
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("support: 2 pods are new, after ")
        pods = agent.pods()
        assert len(pods) == 2
        assert not old & {pod["metadata"]["uid"] for pod in pods}
        for pod in pods:
            name = pod["metadata"]["name"]
            where = (name, f"--namespace={sandbox.name}", "--container=agent")
            key = sandbox.kube.kubectl("exec", *where, "--", "python", "-c", PRINT_KEY).strip()
            assert key == "another-key"

        def least() -> float:
            return min(agent.metrics(pod).get("prewarm_agent_requests_total", 0) for pod in pods)

        eventually("every new pod has answered requests", least)
    traffic.assert_nothing_failed()
