"""What a generic pod proves before it answers that it is an agent: what its pool has not, and the agent's own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from component.agent.model_server import ModelServer, model_server
from component.agent.pool import member, pool
from component.agent.specs import spec
from component.agent.test_warmup import free_port

# As many calls of the hook fail as `failures` of the configuration says.
FACTORY = """
from pathlib import Path
from autogen_agentchat.agents import AssistantAgent

CALLS = Path(__file__).with_name("calls")

class Store:
    def __init__(self, failures):
        self.failures = failures

    async def ping(self):
        done = len(CALLS.read_text())
        CALLS.write_text("x" * (done + 1))
        if done < self.failures:
            raise ConnectionError("the store is down")

async def agent(resources):
    await resources.once("store", lambda: Store(resources.config["failures"]), warmup=Store.ping)
    return AssistantAgent("support", resources.named_model("fast"))
"""
CONNECT = {"mode": "connect"}
OFFLINE = {"mode": "offline"}
ENTRYPOINT = "stored:agent"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """One letter for each call of the hook."""
    (tmp_path / "stored.py").write_text(FACTORY)
    (tmp_path / "calls").write_text("")
    return tmp_path / "calls"


def stored(warmup: dict[str, Any], *, failures: int = 0) -> dict[str, Any]:
    body = spec(entrypoint=ENTRYPOINT, warmup=warmup)
    body["agent"]["config"] = {"failures": failures}
    return body


@pytest.mark.parametrize(
    ("of_pool", "of_agent", "asked"),
    [(CONNECT, CONNECT, 1), (OFFLINE, CONNECT, 1), (CONNECT, OFFLINE, 1), (OFFLINE, OFFLINE, 0)],
)
async def test_a_model_is_connected_once_by_the_pool_or_by_its_agent(
    model: ModelServer, of_pool: dict[str, Any], of_agent: dict[str, Any], asked: int
) -> None:
    with pool(model.url, warmup=of_pool) as small:
        async with small.pod() as pod:
            assert (await small.specialize(pod, member(warmup=of_agent))).status_code == 200
            assert model.lists == asked


@pytest.mark.parametrize(("warmup", "called"), [(CONNECT, "x"), ({"mode": "live"}, "x"), (OFFLINE, "")])
async def test_an_authors_warm_up_has_run_when_the_pod_is_the_agent(
    model: ModelServer, calls: Path, warmup: dict[str, Any], called: str
) -> None:
    with pool(model.url, warmup=CONNECT, allowedEntrypoints=[ENTRYPOINT]) as small:
        async with small.pod(PYTHONPATH=str(calls.parent)) as pod:
            assert (await small.specialize(pod, stored(warmup))).status_code == 200
            assert calls.read_text() == called


async def test_an_agent_that_requires_its_warm_up_is_none_before_it_has_succeeded(
    model: ModelServer, calls: Path
) -> None:
    with pool(model.url, warmup=CONNECT, allowedEntrypoints=[ENTRYPOINT]) as small:
        async with small.pod(PYTHONPATH=str(calls.parent)) as pod:
            assert (await small.specialize(pod, stored({**CONNECT, "required": True}, failures=2))).status_code == 200
            assert calls.read_text() == "xxx"
            assert (await pod.probe("/warmupz")).json()["error"] is None


async def test_a_model_that_its_pool_could_not_reach_is_tried_again_for_the_agent() -> None:
    port = free_port()
    with pool(f"http://127.0.0.1:{port}/v1", warmup=CONNECT) as small:
        async with small.pod() as pod:
            body = member(warmup={**CONNECT, "required": True})
            specializing = asyncio.create_task(small.specialize(pod, body))
            await asyncio.sleep(0.5)
            assert (await small.specialize(pod, body)).json()["state"] == "warming"
            async with model_server(port):
                assert (await specializing).status_code == 200
                assert await pod.ask("hello") == "heard 2: hello"
