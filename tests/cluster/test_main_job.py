"""What the README promises first: apply, wait, ask. In the words that people type."""

import re

import pytest
from cluster.agents import Agent, condition
from cluster.kube import Object
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

AGENT = "agentdeployment/support"
PHASES = ["bind", "import", "config", "clients", "tools", "agents", "warm-up", "freeze"]


@pytest.fixture
def support(sandbox: Sandbox) -> Agent:
    """The example of the README, as it is in the repository."""
    into = f"--namespace={sandbox.name}"
    sandbox.kube.kubectl("apply", "-f", "examples/support-agent.yaml", into)
    sandbox.kube.kubectl("wait", "--for=condition=Ready", AGENT, into, "--timeout=60s")
    return Agent(sandbox.kube, sandbox.name, "support")


def test_an_applied_agent_answers_and_says_how_it_is(support: Agent, client: ClientPod) -> None:
    assert client.ask(support, "hello") == (200, "echo:2:hello")

    agent = support.wait_until_settled()
    _assert_status_is_filled(agent)
    _assert_every_pod_reports_its_phases(support)
    _assert_nothing_is_built_for_requests(support, client)
    _assert_kubectl_get_reads_well(support)

    support.scale(3)
    support.wait_until_settled()
    _assert_kubectl_describe_reads_well(support)


def test_kubectl_explains_every_field(support: Agent) -> None:
    explained = support.kube.kubectl("explain", "agentdeployment.spec", "--recursive")
    for field in ("minReplicas", "maxReplicas", "entrypoint", "warmupPath", "concurrencyLimit", "delaySeconds"):
        assert field in explained
    assert "at least 1" in support.kube.kubectl("explain", "agentdeployment.spec.minReplicas")


def _assert_status_is_filled(agent: Object) -> None:
    status = agent["status"]
    counts = ("desiredReplicas", "replicas", "readyReplicas", "availableReplicas", "updatedReplicas")
    assert {count: status[count] for count in counts} == dict.fromkeys(counts, 2)
    assert re.fullmatch("[0-9a-f]{10}", status["revision"])
    startup = status["startup"]
    assert 0 < startup["createdToReadyP50Seconds"] <= startup["createdToReadyP90Seconds"]
    assert startup["samples"] == 2
    found = {type_: condition(agent, type_)["status"] for type_ in ("Ready", "Progressing", "Warm", "AgentValid")}
    assert found == {"Ready": "True", "Progressing": "False", "Warm": "True", "AgentValid": "True"}


def _assert_every_pod_reports_its_phases(support: Agent) -> None:
    pods = support.ready_pods()
    assert len(pods) == 2
    for pod in pods:
        code, report = support.warmupz(pod)
        assert (code, report["state"], report["error"]) == (200, "warm", None)
        assert list(report["phases"]) == PHASES
        assert sum(report["phases"].values()) > 0


def _assert_nothing_is_built_for_requests(support: Agent, client: ClientPod) -> None:
    before = [support.metrics(pod) for pod in support.ready_pods()]
    with client.steady(support, rate_per_second=50) as traffic:
        traffic.go_on(answers=50)
    traffic.assert_nothing_failed()
    after = [support.metrics(pod) for pod in support.ready_pods()]
    built, answered = "prewarm_agent_resources_built_total", "prewarm_agent_requests_total"
    answers = sum(pod[answered] for pod in after) - sum(pod.get(answered, 0) for pod in before)
    assert answers >= 50
    assert all(pod[built] >= 3 for pod in before)  # a model client, an HTTP client, a TLS context
    assert [pod[built] for pod in after] == [pod[built] for pod in before]


def _assert_kubectl_get_reads_well(support: Agent) -> None:
    head, row = support.kube.kubectl("get", "pwad", f"--namespace={support.namespace}").splitlines()
    names = ["NAME", "READY", "DESIRED", "WARM", "UP-TO-DATE", "START P90 (S)", "AGE"]
    assert re.split(r"\s{2,}", head.strip()) == names
    columns = dict(zip(names, row.split(), strict=True))
    assert float(columns.pop("START P90 (S)")) > 0
    assert re.fullmatch(r"\d+m?\d*s", columns.pop("AGE"))
    assert columns == {"NAME": "support", "READY": "True", "DESIRED": "2", "WARM": "2", "UP-TO-DATE": "2"}


def _assert_kubectl_describe_reads_well(support: Agent) -> None:
    described = support.kube.kubectl("describe", "pwad", "support", f"--namespace={support.namespace}")
    for words in ("Conditions:", "AgentLoaded", "Startup:", "Events:"):
        assert words in described
    events = described.partition("Events:")[2]
    assert re.search(r"Normal\s+Scaled\s.*from 2 to 3 pods", events), described
