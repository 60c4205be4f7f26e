"""Every file in examples/ is applied as it stands, and what it makes answers."""

from dataclasses import dataclass

import pytest
from cluster.agents import Agent
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod


@dataclass(frozen=True)
class Example:
    """A file, the AgentDeployment in it, and what an answer to "hello" ends with."""

    file: str
    name: str
    answer: str = "hello"


EXAMPLES = {
    "single agent": Example("support-agent.yaml", "support"),
    "agent that follows its load": Example("auto-agent.yaml", "auto"),
    "agent half-way from an HPA": Example("from-hpa.yaml", "migrating"),
    "agent with its nodes ahead": Example("node-headroom.yaml", "ready-for-nine"),
    "team": Example("team.yaml", "newsroom"),
    "agent with MCP tools": Example("mcp-agent.yaml", "clerk"),
    "agent in Python": Example("python-agent/agentdeployment.yaml", "orders"),
    "image of another kind": Example("foreign-image/agentdeployment.yaml", "foreign"),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_an_example_that_is_applied_as_it_stands_answers(sandbox: Sandbox, client: ClientPod, example: Example) -> None:
    into = f"--namespace={sandbox.name}"
    sandbox.kube.kubectl("apply", "-f", f"examples/{example.file}", into)
    sandbox.kube.kubectl("wait", "--for=condition=Ready", f"agentdeployment/{example.name}", into, "--timeout=90s")
    agent = Agent(sandbox.kube, sandbox.name, example.name)
    status, text = client.ask(agent, "hello")
    assert status == 200, text
    assert text.endswith(example.answer)


def test_the_tools_of_an_mcp_server_are_known_before_the_first_user(sandbox: Sandbox) -> None:
    into = f"--namespace={sandbox.name}"
    sandbox.kube.kubectl("apply", "-f", "examples/mcp-agent.yaml", into)
    sandbox.kube.kubectl("wait", "--for=condition=Ready", "agentdeployment/clerk", into, "--timeout=90s")
    agent = Agent(sandbox.kube, sandbox.name, "clerk")
    (pod,) = agent.ready_pods()
    code, report = agent.warmupz(pod)
    assert (code, report["state"]) == (200, "warm")
    assert report["phases"]["tools"] > 0
