"""A model API that is away when pods start holds no pod back; it is tried again until it answers."""

from functools import partial

from cluster.agents import Agent, component, model_client
from cluster.eventually import eventually
from cluster.sandbox import Sandbox, host
from cluster.traffic import ClientPod


def test_pods_get_warm_without_the_model_api_and_serve_once_it_is_there(
    sandbox: Sandbox, shared: Sandbox, client: ClientPod
) -> None:
    program = {"component": component(model_client=model_client("late-model-server"))}
    connecting = sandbox.agent("connecting", agent=program, warmup={"mode": "connect"})
    offline = sandbox.agent("offline", agent=program, warmup={"mode": "offline"})
    for agent in (connecting, offline):
        agent.wait_until_settled()
        status, _ = client.ask(agent, "hello")
        assert status >= 500
    assert all("does not answer" in error for error in _errors(connecting))
    assert _errors(offline) == ["", ""]

    external = {"type": "ExternalName", "externalName": host(shared)}
    sandbox.apply({"kind": "Service", "metadata": {"name": "late-model-server"}, "spec": external})
    for agent in (connecting, offline):
        eventually("it answers", partial(client.ask, agent, "hello"), lambda said: said == (200, "echo:2:hello"))
    eventually("the connection is there", lambda: _errors(connecting), lambda errors: errors == ["", ""])


def _errors(agent: Agent) -> list[str]:
    return [agent.warmupz(pod)[1]["error"] or "" for pod in agent.ready_pods()]
