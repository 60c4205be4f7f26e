"""More than an agent can take."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec


async def ask(client: httpx.AsyncClient, agent: AgentProcess, text: str) -> httpx.Response:
    body = {"model": "support", "messages": [{"role": "user", "content": text}]}
    return await client.post(f"{agent.url}/v1/chat/completions", json=body, timeout=20)


async def test_what_finds_no_place_is_refused_at_once_and_counted(model: ModelServer) -> None:
    async with (
        running(spec(assistant(model.url), concurrencyLimit=8)) as agent,
        httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client,
    ):
        await agent.warm()
        asked = [asyncio.create_task(ask(client, agent, "SLEEP=2")) for _ in range(30)]
        while sum(task.done() for task in asked) < 20:
            await asyncio.sleep(0.02)
        assert await agent.metric("prewarm_agent_requests_in_flight") == {"": 8}
        assert await agent.metric("prewarm_agent_requests_queued") == {"": 2}
        answers = await asyncio.gather(*asked)
        assert Counter(answer.status_code for answer in answers) == {200: 10, 429: 20}
        for answer in answers:
            if answer.status_code == 429:
                assert answer.headers["retry-after"] == "1"
                assert answer.headers["connection"] == "close"
                assert answer.json()["error"]["type"] == "rate_limit_error"
        codes = await agent.metric("prewarm_agent_requests_total")
        assert codes['{code="429",endpoint="chat_completions"}'] == 20
        assert codes['{code="200",endpoint="chat_completions"}'] == 10
        assert (await ask(client, agent, "hello")).status_code == 200


async def test_a_place_is_taken_by_the_next_in_the_queue_when_its_client_goes_away(model: ModelServer) -> None:
    async with running(spec(assistant(model.url), concurrencyLimit=1)) as agent, httpx.AsyncClient() as client:
        await agent.warm()
        leaving = asyncio.create_task(ask(client, agent, "SLEEP=20"))
        await asyncio.sleep(0.2)
        waiting = asyncio.create_task(ask(client, agent, "hello"))
        await asyncio.sleep(0.2)
        leaving.cancel()
        async with asyncio.timeout(10):
            assert (await waiting).status_code == 200


async def test_clients_are_sent_elsewhere_above_the_target_and_only_there(model: ModelServer) -> None:
    async with running(spec(assistant(model.url), concurrencyLimit=10)) as agent, httpx.AsyncClient() as client:
        await agent.warm()
        assert "connection" not in (await ask(client, agent, "hello")).headers
        busy = [asyncio.create_task(ask(client, agent, "SLEEP=1")) for _ in range(7)]
        await asyncio.sleep(0.3)
        assert (await ask(client, agent, "hello")).headers["connection"] == "close"
        await asyncio.gather(*busy)
        assert "connection" not in (await ask(client, agent, "hello")).headers


async def test_overload_for_long_takes_no_more_memory(model: ModelServer) -> None:
    def rss_kib() -> int:
        status = Path(f"/proc/{agent.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    async with (
        running(spec(assistant(model.url), concurrencyLimit=4)) as agent,
        httpx.AsyncClient(limits=httpx.Limits(max_connections=40), timeout=60) as client,
    ):
        await agent.warm()

        async def refused(count: int) -> None:
            answers = await asyncio.gather(*(ask(client, agent, "x" * 50_000) for _ in range(count)))
            assert {answer.status_code for answer in answers} == {429}

        url, body = f"{agent.url}/invocations", {"input": "SLEEP=100"}
        holding = [asyncio.create_task(client.post(url, json=body, timeout=120)) for _ in range(4)]
        while await agent.metric("prewarm_agent_requests_in_flight") != {"": 4}:
            await asyncio.sleep(0.05)
        # The queue's one place, taken again and again; who waits in it for 5 s is refused like the others.
        await refused(100)
        before = rss_kib()
        await refused(500)
        assert rss_kib() - before < 10_000
        for task in holding:
            task.cancel()
