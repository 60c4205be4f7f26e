"""`kubectl prewarm explain` and `status`, and what any command says when it fails: on a real API server."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from component.operator.command_line import ESCAPE, Commands, kubectl, prewarm
from component.operator.conftest import running
from component.operator.load_server import LoadServer
from component.operator.namespace import Namespace
from component.operator.replica import SOURCE
from component.operator.test_pods import make_pod, revision
from component.operator.test_scaling import replicas, scaled_with_one_pod

from devcluster.controlplane import ControlPlane
from devcluster.settings import Cache

Agent = dict[str, Any]


def row(text: str, first: str) -> list[str]:
    """The words of the line that begins with `first`."""
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [first])


@pytest.fixture
async def pod(operator: str, namespace: Namespace, agent: Agent) -> AsyncIterator[LoadServer]:
    """The one Ready pod of an agent in mode Auto."""
    agent["spec"] |= {"mode": "Auto", "minReplicas": 1, "maxReplicas": 8, "concurrencyLimit": 10}
    async with scaled_with_one_pod(namespace, agent) as server:
        yield server


async def test_explain_tells_the_number_its_terms_what_is_wrong_and_the_last_hour(
    namespace: Namespace, pod: LoadServer, commands: Commands
) -> None:
    pod.tell(in_flight=10, refused=18)
    await replicas(namespace, 4, most=6)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: bool(found["status"]["scaling"].get("history"))
    )
    told = await commands.text("explain", "support")
    status = found["status"]
    assert f"{status['desiredReplicas']} pods wanted, 0 ready, between 1 and 8" in told
    assert row(told, "->")[1:4] == ["reactive", str(status["desiredReplicas"]), "LoadNow"]
    assert "the load is 28.0 requests" in told
    assert row(told, "Warm")[1] == "False"
    (change,) = status["scaling"]["history"]
    assert f"{change['from']} -> {change['to']}" in told
    assert row(told, change["time"][11:19])[-1]


async def test_the_history_outlives_a_restart_of_the_operator(
    api_server: ControlPlane, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    with running(api_server):
        await namespace.create_object("agentdeployments", agent)
        await replicas(namespace, 3)
        await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 5}})
        await namespace.eventually(
            "agentdeployments", "support", lambda found: found.get("status", {}).get("desiredReplicas") == 5
        )
    with running(api_server):
        await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 4}})
        await namespace.eventually("agentdeployments", "support", lambda found: found["status"]["desiredReplicas"] == 4)
    told = await commands.text("explain", "support")
    assert told.index("5 -> 4") < told.index("3 -> 5")


async def test_status_shows_the_fleet_with_problems_first(
    operator: str, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    for name in ("well", "broken"):
        await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": name}})
        await namespace.eventually("agentdeployments", name, lambda found: "conditions" in found.get("status", {}))
    ready = [
        {
            "type": type_,
            "status": "True",
            "reason": "Fine",
            "message": "x",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for type_ in ("Ready", "Warm")
    ]
    status = {
        "desiredReplicas": 3,
        "readyReplicas": 3,
        "conditions": ready,
        "startup": {"createdToReadyP90Seconds": 2.51, "samples": 3},
    }
    scaling = {
        "reason": "LoadForecast",
        "message": "x",
        "load": 12.5,
        "forecast": {"horizonSeconds": 30, "coveragePercent": 94.8},
    }
    await stop_and_write(namespace, agent, status | {"scaling": scaling})
    told = await commands.text("status")
    assert row(told, "imposed") == [
        "imposed",
        "External",
        "3/3",
        "2-10",
        "12.5",
        "2.5",
        "s",
        "94.8",
        "%",
        "LoadForecast",
    ]
    assert told.index("broken") < told.index("imposed")
    assert "BelowMinimum: 0 warm pods serve, spec.minReplicas is 2" in told
    everywhere = await commands.text("status", "-A")
    assert row(everywhere, namespace.name)[0] == namespace.name


async def stop_and_write(namespace: Namespace, agent: Agent, status: Agent) -> None:
    """An AgentDeployment that no operator looks after, for its deletion is asked for, with this status."""
    metadata = {"name": "imposed", "finalizers": ["example.com/stays"]}
    await namespace.create_object("agentdeployments", {**agent, "metadata": metadata})
    await namespace.delete("agentdeployments", "imposed")
    await asyncio.sleep(1)  # a reconcile that was under way
    await namespace.merge("agentdeployments", "imposed", {"status": {"conditions": None, "scaling": None}}, "status")
    await namespace.merge("agentdeployments", "imposed", {"status": status}, "status")


async def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    operator: str, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    for command in ("explain", "restart"):
        done = await commands.run(command, "suport")
        assert (done.returncode, done.stdout) == (1, "")
        assert (
            f"no AgentDeployment suport in namespace {namespace.name}; there is none in this namespace" in done.stderr
        )
    await namespace.create_object("agentdeployments", agent)
    done = await commands.run("explain", "suport")
    assert "there are: support." in done.stderr


async def test_a_namespace_without_agents_is_told(operator: str, namespace: Namespace, commands: Commands) -> None:
    assert await commands.text("status") == f"There is no AgentDeployment in namespace {namespace.name}.\n"


async def test_texts_of_pods_do_not_reach_the_terminal_as_commands(
    operator: str, namespace: Namespace, agent: Agent, commands: Commands
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await make_pod(namespace, "support-1", await revision(namespace))
    evil = {"waiting": {"reason": "ImagePullBackOff", "message": f"{ESCAPE}]0;owned\a [red]no[/red] image\n"}}
    container = {"name": "agent", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": evil}
    await namespace.merge("pods", "support-1", {"status": {"containerStatuses": [container]}}, "status")
    await namespace.eventually("agentdeployments", "support", lambda found: "owned" in json.dumps(found["status"]))
    for command in (("explain", "support"), ("status",)):
        assert "[red]no[/red] image" in await commands.text(*command)


@pytest.fixture
def stranger(api_server: ControlPlane, tmp_path: Path) -> Path:
    """A kubeconfig with a user that the API server does not know."""
    config = json.loads(kubectl(api_server, "config", "view", "--raw", "--flatten", "-o", "json"))
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": "nobody"}}]
    file = tmp_path / "stranger"
    file.write_text(json.dumps(config))
    return file


async def test_who_is_not_known_is_told_so(stranger: Path) -> None:
    done = await prewarm("status", "--kubeconfig", str(stranger))
    assert (done.returncode, done.stderr) == (
        1,
        "prewarm status: the cluster does not know you (401): log in anew, or choose another --context.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kubeconfig", "/nowhere/config"), "there is no kubeconfig /nowhere/config: set KUBECONFIG or --kubeconfig"),
        (("--context", "nowhere"), "nowhere"),
    ],
)
async def test_without_a_cluster_the_remedy_is_named(
    api_server: ControlPlane, arguments: tuple[str, ...], words: str
) -> None:
    done = await prewarm("status", *arguments, KUBECONFIG=str(api_server.kubeconfig))
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


async def test_a_cluster_that_does_not_answer_is_told(api_server: ControlPlane, tmp_path: Path) -> None:
    config = json.loads(kubectl(api_server, "config", "view", "--raw", "--flatten", "-o", "json"))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    file = tmp_path / "config"
    file.write_text(json.dumps(config))
    done = await prewarm("explain", "support", "--kubeconfig", str(file))
    assert done.returncode == 1
    assert "the cluster does not answer" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[ControlPlane]:
    """An API server without our kinds."""
    with ControlPlane(tmp_path / "bare") as control_plane:
        yield control_plane


async def test_a_cluster_without_prewarm_is_told(bare: ControlPlane) -> None:
    for command in (("status",), ("explain", "support"), ("restart", "support")):
        done = await prewarm(*command, "--kubeconfig", str(bare.kubeconfig))
        assert (done.returncode, done.stdout) == (1, "")
        assert "this cluster does not know AgentDeployments: install Prewarm" in done.stderr


async def test_rights_that_are_missing_are_named(
    api_server: ControlPlane, namespace: Namespace, stranger: Path
) -> None:
    await namespace.create_object("serviceaccounts", {"metadata": {"name": "reader"}})
    token = kubectl(api_server, "create", "token", "reader", f"--namespace={namespace.name}").strip()
    stranger.write_text(stranger.read_text().replace('"nobody"', json.dumps(token)))
    done = await prewarm("status", "-A", "--kubeconfig", str(stranger))
    assert done.returncode == 1
    assert "you lack the right to do this; ask for the role view, or edit to change something" in done.stderr
    assert f"system:serviceaccount:{namespace.name}:reader" in done.stderr


async def test_kubectl_finds_the_plugin(api_server: ControlPlane, namespace: Namespace, tmp_path: Path) -> None:
    plugin = tmp_path / "kubectl-prewarm"  # as pip writes it for the entry point
    plugin.write_text(
        f"#!{sys.executable}\nfrom prewarm_operator.commands.main import main\nraise SystemExit(main())\n"
    )
    plugin.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(SOURCE)}
    command = [Cache.from_environment().current / "kubectl", "prewarm", "status", "-n", namespace.name]
    place = {"KUBECONFIG": str(api_server.kubeconfig)}
    done = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | path | place, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == f"There is no AgentDeployment in namespace {namespace.name}.\n", done.stderr
