"""A spec that cannot be served is refused in words, and whatever served before serves on."""

from contextlib import ExitStack
from dataclasses import dataclass

from cluster.agents import API_KEY, Agent, component, condition, revision
from cluster.kube import Object
from cluster.sandbox import Sandbox
from cluster.traffic import ClientPod

ONE_POD: Object = {"minReplicas": 1, "replicas": 1}


@dataclass(frozen=True)
class BadSpec:
    """Fields that spoil a good spec, and what AgentValid must say of them."""

    name: str
    fields: Object
    reason: str
    words: str


BAD_SPECS = (
    BadSpec(
        "provider-off-the-list",
        {"agent": {"component": component() | {"provider": "os.system"}}},
        "ProviderNotAllowed",
        "agent.component.provider",
    ),
    BadSpec(
        "unknown-key",
        {"agent": {"component": component(sytem_message="Be nice.")}},
        "UnknownKey",
        "agent.component.config.sytem_message",
    ),
    BadSpec(
        "model-client-missing",
        {"agent": {"component": component(model_client=None)}},
        "InvalidConfig",
        "agent.component.config.model_client",
    ),
    BadSpec(
        "module-missing",
        {"agent": {"entrypoint": "nowhere.at_all:build"}},
        "ModuleNotFound",
        "agent.entrypoint",
    ),
    BadSpec(
        "key-missing-in-the-secret",
        {"env": [API_KEY | {"valueFrom": {"secretKeyRef": {"name": "model-api", "key": "no-such-key"}}}]},
        "CreateContainerConfigError",
        "no-such-key",
    ),
    BadSpec(
        "variable-missing",
        {"env": []},
        "MissingSecret",
        "OPENAI_API_KEY",
    ),
    BadSpec(
        "image-that-nobody-pushed",
        {"image": "localhost/prewarm-agent:no-such-tag"},
        "ImagePullFailed",
        "image localhost/prewarm-agent:no-such-tag cannot be pulled: ",
    ),
)


def test_after_a_bad_change_the_old_revision_answers_everything_until_it_is_taken_back(
    sandbox: Sandbox, client: ClientPod
) -> None:
    agents = [sandbox.agent(bad.name, **ONE_POD) for bad in BAD_SPECS]
    good = [agent.wait_until_settled()["status"]["revision"] for agent in agents]
    with ExitStack() as stack:
        all_traffic = [stack.enter_context(client.steady(agent, rate_per_second=5)) for agent in agents]
        for bad in BAD_SPECS:
            sandbox.agent(bad.name, **ONE_POD | bad.fields)
        for bad, agent in zip(BAD_SPECS, agents, strict=True):
            said = agent.wait_until("AgentValid", "False", reason=bad.reason)
            assert bad.words in said["message"]
            stuck = agent.wait_until("Progressing", "False", reason="Stuck")
            assert bad.words in stuck["message"]
            agent.wait_until("Ready", "True")

        # Meanwhile the bad pods are started again.
        sandbox.agent("good", **ONE_POD).wait_until_settled()
        for agent, revision_before in zip(agents, good, strict=True):
            assert {revision(pod) for pod in agent.ready_pods()} == {revision_before}
            assert len(agent.pods()) == 2

        for bad in BAD_SPECS:
            sandbox.agent(bad.name, **ONE_POD)
        for agent, revision_before in zip(agents, good, strict=True):
            agent.wait_until("AgentValid", "True")
            assert agent.wait_until_settled()["status"]["revision"] == revision_before
    for traffic in all_traffic:
        traffic.assert_nothing_failed()


def test_a_new_agent_that_cannot_be_served_delays_no_other_and_can_be_repaired(
    sandbox: Sandbox, client: ClientPod
) -> None:
    broken = [sandbox.agent(bad.name, **ONE_POD | bad.fields) for bad in BAD_SPECS]
    good = sandbox.agent("good", **ONE_POD)
    good.wait_until_settled()
    assert client.ask(good, "hello") == (200, "echo:2:hello")
    for bad, agent in zip(BAD_SPECS, broken, strict=True):
        agent.wait_until("AgentValid", "False", reason=bad.reason)
        assert condition(agent.read(), "Ready")["reason"] == "BelowMinimum"
        assert agent.ready_pods() == []
        _assert_a_warning_says_so(agent, bad)

    repaired = sandbox.agent(BAD_SPECS[0].name, **ONE_POD)
    repaired.wait_until_settled()
    assert client.ask(repaired, "hello") == (200, "echo:2:hello")


def _assert_a_warning_says_so(agent: Agent, bad: BadSpec) -> None:
    described = agent.kube.kubectl("describe", "pwad", agent.name, f"--namespace={agent.namespace}")
    warnings = [line for line in described.splitlines() if line.split()[:2] == ["Warning", bad.reason]]
    assert any(bad.words in line for line in warnings), described
