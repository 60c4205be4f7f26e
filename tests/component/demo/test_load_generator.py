"""The generator against servers that misbehave in known ways: what it counts is what was done to it."""

import asyncio
import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from prewarm_demo.load.arrivals import Arrival, poisson
from prewarm_demo.load.generator import Generator
from prewarm_demo.load.records import Record, decode

Handler = Callable[[int, str, asyncio.StreamWriter], Awaitable[None]]


def answer(text: str, *, status: str = "200 OK", headers: str = "") -> bytes:
    body = json.dumps({"choices": [{"message": {"content": f"echo:1:{text}"}}]}).encode()
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


class Server:
    """Counts connections and hands each request's number, text and connection to a handler."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.connections = 0
        self.requests = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                self.requests += 1
                await self._handler(self.requests, body["messages"][0]["content"], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[tuple[Server, str]]:
    server = Server(handler)
    async with await asyncio.start_server(server.connected, "127.0.0.1", 0) as listening:
        yield server, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/chat/completions"


async def load(url: str, *, count: int = 100, clients: int = 4, timeout_seconds: float = 5) -> list[Record]:
    arrivals = poisson(seed=1, rate_per_second=400, count=count, clients=clients)
    return await Generator(url, clients=clients, timeout_seconds=timeout_seconds).run(arrivals)


def outcomes(records: list[Record]) -> dict[str, int]:
    return dict(Counter(record.outcome for record in records))


async def test_a_good_server_fails_nothing_and_connections_are_kept() -> None:
    async def handler(_: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text))

    async with serve(handler) as (server, url):
        assert outcomes(await load(url)) == {"ok": 100}
    assert server.connections < 30


async def test_an_error_of_the_server_is_counted_by_its_status() -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text, status="503 Service Unavailable" if number % 10 == 0 else "200 OK"))

    async with serve(handler) as (_, url):
        assert outcomes(await load(url)) == {"ok": 90, "status 503": 10}


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", b"nonsense\r\n\r\n"])
async def test_a_connection_that_ends_before_its_answer_is_one_failure_and_no_second_request(sent: bytes) -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        if number % 10:
            writer.write(answer(text))
        else:
            writer.write(sent)
            writer.close()

    async with serve(handler) as (server, url):
        assert outcomes(await load(url)) == {"ok": 90, "broken": 10}
    assert server.requests == 100


async def test_a_connection_that_is_reset_is_a_failure() -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        if number % 10:
            writer.write(answer(text))
        else:
            writer.transport.abort()

    async with serve(handler) as (_, url):
        assert outcomes(await load(url)) == {"ok": 90, "broken": 10}


async def test_a_port_where_nobody_listens_refuses_every_request() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1/chat/completions"
        assert outcomes(await load(url, count=20)) == {"refused": 20}


async def test_a_request_that_is_never_answered_times_out_and_holds_up_no_other() -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        if number != 5:
            writer.write(answer(text))

    async with serve(handler) as (_, url):
        records = await load(url, timeout_seconds=0.5)
    assert outcomes(records) == {"ok": 99, "timeout": 1}
    assert next(r.latency_seconds for r in records if r.outcome == "timeout") >= 0.5


async def test_somebody_elses_answer_is_a_failure() -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text if number % 10 else f"{text}0"))

    async with serve(handler) as (_, url):
        assert outcomes(await load(url)) == {"ok": 90, "wrong answer": 10}


async def test_an_idle_connection_that_the_server_closed_is_not_used() -> None:
    async def handler(_: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text))
        asyncio.get_running_loop().call_later(0.05, writer.close)

    arrivals = [Arrival(0.2 * number, 0) for number in range(5)]
    async with serve(handler) as (server, url):
        assert outcomes(await Generator(url, clients=1, timeout_seconds=5).run(arrivals)) == {"ok": 5}
    assert server.connections == 5


async def test_connection_close_is_obeyed() -> None:
    async def handler(_: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text, headers="connection: close\r\n"))

    async with serve(handler) as (server, url):
        assert outcomes(await load(url, count=20)) == {"ok": 20}
    assert server.connections == 20


@pytest.mark.parametrize(("retries", "found", "requests"), [(2, {"ok": 1}, 3), (1, {"status 429": 1}, 2)])
async def test_what_is_refused_is_sent_again_after_as_long_as_the_answer_asks_for(
    retries: int, found: dict[str, int], requests: int
) -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        refused = {"status": "429 Too Many Requests", "headers": "Retry-After: 1\r\n"}
        writer.write(answer(text, **refused) if number <= 2 else answer(text))

    async with serve(handler) as (server, url):
        generator = Generator(url, clients=1, timeout_seconds=5, retries=retries)
        (record,) = await generator.run([Arrival(0.0, 0)])
    assert outcomes([record]) == found
    assert server.requests == requests
    assert retries <= record.latency_seconds < retries + 0.5


async def test_no_other_status_is_asked_again() -> None:
    async def handler(_: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text, status="503 Service Unavailable", headers="Retry-After: 1\r\n"))

    async with serve(handler) as (server, url):
        await Generator(url, clients=1, timeout_seconds=5, retries=2).run([Arrival(0.0, 0)])
    assert server.requests == 1


async def test_load_is_open_a_slow_server_does_not_slow_the_arrivals() -> None:
    started: list[float] = []

    async def handler(_: int, text: str, writer: asyncio.StreamWriter) -> None:
        started.append(time.monotonic())
        await asyncio.sleep(1)
        writer.write(answer(text))

    async with serve(handler) as (server, url):
        assert outcomes(await load(url, count=50)) == {"ok": 50}
    assert started[-1] - started[0] < 1, "all were sent before the first was answered"
    assert server.connections == 50


async def test_a_generator_that_falls_behind_counts_its_lag_into_the_latency() -> None:
    async def handler(_: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text))

    async with serve(handler) as (_, url):
        asyncio.get_running_loop().call_later(0.1, time.sleep, 0.4)
        records = await Generator(url, clients=1, timeout_seconds=5).run([Arrival(0.0, 0), Arrival(0.15, 0)])
    assert records[0].lag_seconds < 0.1
    assert records[1].lag_seconds >= 0.3
    assert records[1].latency_seconds >= records[1].lag_seconds


async def test_the_program_prints_progress_and_then_every_request() -> None:
    async def handler(number: int, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(text, status="500 Internal Server Error" if number == 7 else "200 OK"))

    async with serve(handler) as (_, url):
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "prewarm_demo.load", f"--url={url}", "--rate=100", "--count=150"),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        lines = [json.loads(line) for line in (await program.communicate())[0].splitlines()]

    assert lines[0]["progress"]["sent"] > 0
    assert [next(iter(line)) for line in lines][-2:] == ["table", "done"]
    assert lines[-1]["done"]["requests"] == 150
    assert outcomes(decode(line["table"] for line in lines if "table" in line)) == {"ok": 149, "status 500": 1}


async def test_the_program_replays_a_ramp_for_an_agent_from_a_given_time_on() -> None:
    models: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        models.append(body["model"])
        writer.write(answer(body["messages"][0]["content"], headers="connection: close\r\n"))

    begin = time.time() + 2
    async with await asyncio.start_server(connected, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        ramp = ("--rates=50,50", "--step-seconds=1", f"--begin={begin}", "--model=ramp")
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "prewarm_demo.load", f"--url={url}", *ramp),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        lines = [json.loads(line) for line in (await program.communicate())[0].splitlines()]
    assert time.time() >= begin + 0.9
    assert set(models) == {"ramp"}
    records = decode(line["table"] for line in lines if "table" in line)
    assert len(records) == len(models) == pytest.approx(50, abs=25)
    assert max(record.lag_seconds for record in records) < 0.5
