"""Pod Security at its strictest. The operator's own namespace enforces it in every test (operator_release.py)."""

from collections.abc import Callable

from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


def test_an_agent_runs_where_pod_security_is_restricted(new_sandbox: Callable[..., Sandbox], client: ClientPod) -> None:
    levels = ("enforce", "warn", "audit")
    sandbox = new_sandbox(labels={f"pod-security.kubernetes.io/{level}": "restricted" for level in levels})
    agent = sandbox.agent()
    agent.wait_until_settled()
    assert client.ask(agent, "hello") == (200, "echo:2:hello")
    for pod in agent.pods():
        assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
