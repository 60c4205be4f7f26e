"""SIGTERM: nothing that comes before the delay is over is lost, nor what comes later on connections that exist."""

import asyncio
import json
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
import httpx
import openai
import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver, ResolveResult
from component.agent.agent_process import SOURCE, AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec

DELAY_SECONDS = 1.5


@pytest_asyncio.fixture(loop_scope="module")
async def draining(model: ModelServer) -> AsyncIterator[AgentProcess]:
    """A warm agent that drains for one and a half seconds, then for three."""
    drain = {"delaySeconds": DELAY_SECONDS, "timeoutSeconds": 3}
    async with running(spec(assistant(model.url), drain=drain)) as process:
        await process.warm()
        yield process


class ServiceAddress(AbstractResolver):
    """A Service's side of the network: decides where new connections go, and leaves those that exist where they are."""

    def __init__(self, agent: AgentProcess) -> None:
        self.agent = agent

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self.agent.port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None: ...


def body(text: str, **fields: object) -> dict[str, object]:
    return {"model": "support", "messages": [{"role": "user", "content": text}], **fields}


async def keep_asking(
    session: aiohttp.ClientSession, stop: asyncio.Event, *, path: str, stream: bool, seed: int
) -> int:
    """Asks again and again, with short pauses, and never repeats a request. Returns how many were answered."""
    moments = random.Random(seed)
    answered = 0
    while not stop.is_set():
        request = body("SLEEP=0.05", stream=stream, input="SLEEP=0.05")
        async with session.post(f"http://support{path}", json=request) as answer:
            text = await answer.text()
        assert answer.status == 200
        if stream:
            last = text.removesuffix("\n\n").split("\n\n")[-1]
            assert last == "data: [DONE]" or last.startswith("event: done\n")
        answered += 1
        await asyncio.sleep(moments.uniform(0, 0.4))
    return answered


async def test_sigterm_under_load_loses_nothing(draining: AgentProcess, model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as successor:
        await successor.warm()
        service = ServiceAddress(draining)
        pooled = aiohttp.TCPConnector(resolver=service, use_dns_cache=False, keepalive_timeout=15)
        fresh = aiohttp.TCPConnector(resolver=service, use_dns_cache=False, force_close=True)
        stop = asyncio.Event()
        async with (
            aiohttp.ClientSession(connector=pooled) as pool,
            aiohttp.ClientSession(connector=fresh) as no_pool,
            asyncio.TaskGroup() as clients,
        ):
            workers = [
                clients.create_task(
                    keep_asking(
                        pool if number % 3 else no_pool,
                        stop,
                        path="/invocations" if number % 4 < 2 else "/v1/chat/completions",
                        stream=number % 2 == 0,
                        seed=number,
                    )
                )
                for number in range(60)
            ]
            await asyncio.sleep(1)
            draining.terminate()
            # Services stop sending new connections to a pod that goes, but not at once.
            await asyncio.sleep(DELAY_SECONDS * 0.5)
            service.agent = successor
            await asyncio.sleep(2)
            stop.set()
        assert all(worker.result() > 1 for worker in workers)
        assert await draining.exit_code() == 0


class RawConnection:
    """A kept-alive connection, which a test can use at a moment of its choice."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "RawConnection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self) -> tuple[int, bool]:
        """The status of an answer, and whether it ends the connection."""
        content = json.dumps(body("hello")).encode()
        self._writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content)
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(line for line in head.split("\r\n") if line.startswith("content-length:")).split(":")[1]
        await self._reader.readexactly(int(length))
        return int(head.split()[1]), "\r\nconnection: close\r\n" in head

    def close(self) -> None:
        self._writer.close()


async def test_an_idle_connection_is_served_at_any_moment_of_the_drain(draining: AgentProcess) -> None:
    moments = [number * 0.03 for number in range(100)]  # three seconds, in whose middle the listener closes
    connections = [await RawConnection.open(draining.port) for _ in moments]
    used, unused = connections[::2], connections[1::2]
    assert [await connection.ask() for connection in used] == [(200, False)] * len(used)

    async def ask_at(moment: float, connection: RawConnection) -> tuple[int, bool]:
        await asyncio.sleep(moment)
        return await connection.ask()

    draining.terminate()
    await asyncio.sleep(0.05)
    answers = await asyncio.gather(*map(ask_at, moments, [*used, *unused]))
    assert answers == [(200, True)] * len(moments)
    assert await draining.exit_code() == 0


async def test_connections_that_still_wait_to_be_accepted_when_the_delay_ends_are_served(
    draining: AgentProcess,
) -> None:
    draining.terminate()
    await asyncio.sleep(DELAY_SECONDS / 2)
    draining.process.send_signal(signal.SIGSTOP)  # as a starved process looks from outside
    connections = [await RawConnection.open(draining.port) for _ in range(100)]
    asked = [asyncio.create_task(connection.ask()) for connection in connections]
    await asyncio.sleep(DELAY_SECONDS)
    draining.process.send_signal(signal.SIGCONT)
    assert await asyncio.gather(*asked) == [(200, True)] * len(connections)


async def test_the_connection_of_a_stream_from_before_the_drain_serves_one_more_request(
    draining: AgentProcess,
) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) as client:
        url = f"{draining.url}/v1/chat/completions"
        async with client.stream("POST", url, json=body("PACE=0.4 a b", stream=True)) as answer:
            draining.terminate()
            assert "connection" not in answer.headers
            text = "".join([part async for part in answer.aiter_text()])
        assert text.endswith("data: [DONE]\n\n")
        assert (await draining.probe("/readyz")).status_code == 503
        last = await client.post(url, json=body("hello"))
        assert (last.status_code, last.headers["connection"]) == (200, "close")


async def test_new_connections_are_served_until_the_delay_is_over_and_refused_after_it(draining: AgentProcess) -> None:
    async with httpx.AsyncClient(timeout=5) as client:
        in_flight = asyncio.create_task(client.post(f"{draining.url}/v1/chat/completions", json=body("SLEEP=3")))
        await asyncio.sleep(0.2)
        draining.terminate()
        started = time.monotonic()
        while time.monotonic() < started + DELAY_SECONDS * 0.5:
            assert await draining.ask("hello") == "heard 2: hello"
            ready = await draining.probe("/readyz")
            assert ready.status_code == 200 or time.monotonic() > started + DELAY_SECONDS
        await asyncio.sleep(started + DELAY_SECONDS + 0.4 - time.monotonic())
        with pytest.raises(openai.APIConnectionError):
            await draining.ask("hello")
        assert (await draining.probe("/readyz")).status_code == 503
        assert (await draining.probe("/livez")).status_code == 200
        assert (await in_flight).status_code == 200
    assert await draining.exit_code() == 0


async def test_a_run_that_outlasts_the_drain_is_stopped_and_its_client_is_told(
    draining: AgentProcess, model: ModelServer
) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        in_flight = asyncio.create_task(client.post(f"{draining.url}/v1/chat/completions", json=body("SLEEP=30")))
        await asyncio.sleep(0.2)
        draining.terminate()
        answer = await in_flight
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "draining")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["connection"] == "close"
    assert await draining.exit_code() == 0
    async with asyncio.timeout(10):
        while not model.aborted:
            await asyncio.sleep(0.02)


async def test_a_stream_of_events_that_outlasts_the_drain_ends_with_an_error(draining: AgentProcess) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        request = {"input": "PACE=1 a b c d e f g h i j k", "stream": True}
        async with client.stream("POST", f"{draining.url}/invocations", json=request) as answer:
            draining.terminate()
            text = "".join([part async for part in answer.aiter_text()])
    *_, last = text.removesuffix("\n\n").split("\n\n")
    assert last.startswith("event: error\n")
    assert '"code":"draining"' in last
    assert await draining.exit_code() == 0


async def test_an_agent_without_connections_ends_when_the_delay_is_over(draining: AgentProcess) -> None:
    started = time.monotonic()
    draining.terminate()
    assert await draining.exit_code() == 0
    assert time.monotonic() - started >= DELAY_SECONDS
    assert draining.log[-1]["complete"] is True


async def test_a_process_that_is_not_warm_yet_ends_at_once(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent:
        agent.terminate()
        assert await agent.exit_code() == 0


async def test_a_process_that_is_told_to_stop_before_it_listens_ends_at_once() -> None:
    program = (
        "import os, signal; from prewarm_agent import cli;"
        "cli.listen = lambda port: os.kill(os.getpid(), signal.SIGTERM); cli.main(['serve'])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env={"PYTHONPATH": str(SOURCE)})
    assert await process.wait() == 0  # with the kernel's default it is -15, and nothing happens to a container's first
