"""A container of a claimed pod starts again: it is that agent, and for no request was it a generic pod or another."""

import asyncio
from collections import Counter

import httpx
from component.agent.agent_process import AgentProcess
from component.agent.model_server import ModelServer
from component.agent.pool import member, pool

from devcluster.controlplane import listen_on_free_port

ASK = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}


def free_port() -> int:
    with listen_on_free_port() as free:
        port: int = free.getsockname()[1]
        return port


async def load(port: int, seen: Counter[str], until: asyncio.Event) -> None:
    """Asks again and again over connections of its own; counts what became of each request."""
    async with httpx.AsyncClient(timeout=10) as client:
        while not until.is_set():
            try:
                answer = await client.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=ASK)
            except httpx.TransportError:
                seen["no answer"] += 1
                await asyncio.sleep(0.02)
                continue
            body = answer.json()
            seen[body["choices"][0]["message"]["content"] if answer.is_success else body["error"]["code"]] += 1


async def test_a_killed_container_comes_back_as_the_agent_it_was(model: ModelServer) -> None:
    port, seen, over = free_port(), Counter[str](), asyncio.Event()
    with pool(model.url) as small:
        async with small.pod(port=port) as pod:
            assert (await small.specialize(pod, member())).status_code == 200
            clients = [asyncio.create_task(load(port, seen, over)) for _ in range(4)]
            while seen["heard 2: hello"] < 20:
                await asyncio.sleep(0.01)
            pod.process.kill()
            await pod.process.wait()
        served = seen["heard 2: hello"]
        async with small.pod(port=port, warm=False) as again:
            assert (await again.probe("/readyz")).status_code == 503  # bound, and not what it was yet
            await again.warm()
            while seen["heard 2: hello"] < served + 20:
                await asyncio.sleep(0.01)
            over.set()
            await asyncio.gather(*clients)
            assert (await again.probe("/load")).json()["state"] == "warm"
            assert (await small.specialize(again, member("other"))).json()["reason"] == "AlreadySpecialized"
    assert set(seen) <= {"heard 2: hello", "no answer", "starting"}, seen


async def test_what_was_proposed_and_not_accepted_is_forgotten(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            refused = member()
            refused["agent"]["component"]["provider"] = "os.system"
            assert (await small.specialize(pod, refused)).status_code == 422
            pod.process.kill()
            await pod.process.wait()
        async with small.pod() as again:
            assert (await again.probe("/load")).json()["state"] == "generic"


async def order_warm_up(pod: AgentProcess, authorization: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        url = f"http://127.0.0.1:{pod.probe_port}/warmup"
        return await client.post(url, content=b"", headers={"authorization": authorization})


async def test_the_operator_may_have_the_connections_proven_again(model: ModelServer) -> None:
    with pool(model.url, warmup={"mode": "connect"}) as small:
        async with small.pod() as pod:
            before = model.lists
            answer = await order_warm_up(pod, small.token(b""))
            assert (answer.status_code, answer.json()) == (200, {"state": "generic", "lacking": {}})
            assert model.lists == before + 1
            assert (await order_warm_up(pod, "Bearer x")).status_code == 401
