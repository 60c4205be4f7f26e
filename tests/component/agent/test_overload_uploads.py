"""Bodies that come slowly, or many at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from component.agent.agent_process import AgentProcess

from prewarm_agent.admission.gate import Gate
from prewarm_agent.serve import uploads
from prewarm_agent.serve.asgi import Receive, Scope, Send, send_json
from prewarm_agent.serve.auth import Auth
from prewarm_agent.serve.listen import listen
from prewarm_agent.serve.running import Running
from prewarm_agent.serve.server import Server
from prewarm_agent.serve.users import Endpoint, UserApplication
from prewarm_agent.startup.state import Lifecycle

KIB = 1024


async def size(scope: Scope, body: bytes, _receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    await send_json(send, 200, len(body))


@asynccontextmanager
async def port(
    *, warm: bool = True, token: str | None = None, lifecycle: Lifecycle | None = None
) -> AsyncIterator[int]:
    """A port for users in the test's own process, where times and sizes can be made small."""
    lifecycle = lifecycle or Lifecycle()
    if warm:
        lifecycle.warmed()
    application = UserApplication(lifecycle, Auth(token, None))
    endpoint = Endpoint("size", "POST", size)
    running = Running(Gate(100, lifecycle.load), request_timeout_seconds=5)
    application.open({"/": endpoint, "/slow": endpoint}, running)
    listening = listen(0)
    server = Server(application, listening)
    task = asyncio.create_task(server.serve())
    yield listening.getsockname()[1]
    server.force_exit = server.should_exit = True
    await task


class Upload:
    """A request whose body comes in pieces."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def begin(cls, port: int, length: int, path: str = "/", token: str = "") -> "Upload":
        upload = cls(*await asyncio.open_connection("127.0.0.1", port))
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
        upload._writer.write(head.encode())
        return upload

    async def send(self, length: int) -> None:
        self._writer.write(b"x" * length)
        await self._writer.drain()

    async def answer(self) -> tuple[int, bool]:
        """The status, and whether the answer ends the connection."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        return int(head.split()[1]), "\r\nconnection: close\r\n" in head

    def close(self) -> None:
        self._writer.close()


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOAD_SECONDS", 0.3)
    async with port() as number:
        upload = await Upload.begin(number, 10)
        await upload.send(3)
        assert await upload.answer() == (408, True)
        patient = await Upload.begin(number, 10)
        for _ in range(10):
            await patient.send(1)
            await asyncio.sleep(0.01)
        assert await patient.answer() == (200, False)
        patient.close()


async def test_a_body_that_does_not_come_is_given_up_before_there_is_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOAD_SECONDS", 0.3)
    async with port(warm=False) as number, asyncio.timeout(10):
        upload = await Upload.begin(number, 10)
        await upload.send(3)
        assert await upload.answer() == (503, True)
        upload.close()


async def test_many_slow_bodies_together_hold_no_more_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES_OF_ALL", 1000 * KIB)
    async with port() as number:
        begun = [await Upload.begin(number, 400 * KIB) for _ in range(10)]
        for upload in begun:
            await upload.send(200 * KIB)
        answers = [asyncio.create_task(upload.answer()) for upload in begun]
        await asyncio.sleep(0.5)
        refused = [number for number, answer in enumerate(answers) if answer.done()]
        assert {answers[number].result() for number in refused} == {(429, True)}
        assert 4 <= len(refused) <= 6
        for rest in set(range(10)) - set(refused):
            await begun[rest].send(200 * KIB)
            async with asyncio.timeout(10):
                assert (await answers[rest])[0] in (200, 429)  # those that end first make room for the others
        assert Counter(answer.result()[0] for answer in answers)[200] >= 2
        later = await Upload.begin(number, 900 * KIB)
        await later.send(900 * KIB)
        assert await later.answer() == (200, False)
        for upload in (*begun, later):
            upload.close()


async def test_a_body_takes_its_room_until_its_request_is_answered_and_who_finds_none_is_demand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES_OF_ALL", 1000 * KIB)
    lifecycle = Lifecycle()
    async with port(lifecycle=lifecycle) as number, asyncio.timeout(10):
        first, second, third = [await Upload.begin(number, 600 * KIB, path) for path in ("/slow", "/", "/")]
        await first.send(600 * KIB)
        await asyncio.sleep(0.1)
        await second.send(600 * KIB)
        assert await second.answer() == (429, True)
        assert lifecycle.load.snapshot()["refused"] == 1
        assert await first.answer() == (200, False)
        await third.send(600 * KIB)
        assert await third.answer() == (200, False)
        for upload in (first, second, third):
            upload.close()


async def test_bodies_without_the_token_take_no_room_from_those_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES_OF_ALL", 1000 * KIB)
    async with port(token="right") as number, asyncio.timeout(10):
        begun = [await Upload.begin(number, 1000 * KIB, token="wrong") for _ in range(3)]
        for upload in begun:
            await upload.send(900 * KIB)
        await asyncio.sleep(0.2)
        served = await Upload.begin(number, 900 * KIB, token="right")
        await served.send(900 * KIB)
        assert await served.answer() == (200, False)
        for upload in begun:
            await upload.send(100 * KIB)
            assert await upload.answer() == (401, False)
        for upload in (*begun, served):
            upload.close()


async def test_a_body_without_the_token_is_not_waited_for_longer_than_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOAD_SECONDS", 0.3)
    async with port(token="right") as number, asyncio.timeout(10):
        slow = await Upload.begin(number, 10, token="wrong")
        large = await Upload.begin(number, 2 * uploads.MAX_BODY_BYTES, token="wrong")
        await large.send(uploads.MAX_BODY_BYTES + KIB)
        assert [(await upload.answer())[0] for upload in (slow, large)] == [401, 401]
        for upload in (slow, large):
            upload.close()


async def test_the_memory_for_bodies_on_their_way_is_bounded(agent: AgentProcess) -> None:
    def rss_kib() -> int:
        status = Path(f"/proc/{agent.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    before = rss_kib()
    begun = [await Upload.begin(agent.port, 2000 * KIB, "/v1/chat/completions") for _ in range(400)]
    await asyncio.gather(*(upload.send(1000 * KIB) for upload in begun), return_exceptions=True)
    await asyncio.sleep(1)
    assert rss_kib() - before < 200_000  # 400,000 were sent
    for upload in begun:
        upload.close()
    assert await agent.ask("hello") == "heard 2: hello"
