"""`prewarm simulate` with a record out of Prometheus: a real one, and one that says what a test has it say."""

import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from component.commands.simulation import LOADS, rows, simulate, simulate_beside, write_load
from component.signals.prometheus_server import prometheus
from component.web_server import serving

from devcluster.settings import Cache

BEGIN = 1_767_225_600
END = BEGIN + 15 * len(LOADS)
Value = Callable[[int], Any]


class Fake:
    """Answers range queries; what it was asked is kept."""

    def __init__(self, value: Value) -> None:
        self._value = value
        self.questions: list[web.Request] = []
        self.address = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.questions.append(request)
        asked = request.query
        times = range(int(float(asked["start"])), int(float(asked["end"])) + 1, int(float(asked["step"])))
        values = [[at, str(self._value(at))] for at in times if self._value(at) is not None]
        series = [{"metric": {}, "values": values}] if values else []
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": series}})


@asynccontextmanager
async def fake(value: Value) -> AsyncIterator[Fake]:
    server, application = Fake(value), web.Application()
    application.router.add_get("/prom/api/v1/query_range", server.answer)
    async with serving(application) as address:
        server.address = f"http://{address}/prom"
        yield server


def wave(at: int) -> float:
    """The load of the bin that ends at a time."""
    return LOADS[(at - BEGIN) // 15 - 1]


def ask(server: Fake, begin: float = BEGIN, end: float = END) -> tuple[object, ...]:
    return ("--prometheus", server.address, "--query", "sum(load)", "--from", begin, "--to", end)


def from_file(folder: Path, begin: int) -> dict[str, list[str]]:
    """What the same load gives in a file."""
    load = write_load(folder / "load.csv", "timestamp_seconds,concurrent", begin)
    return rows(simulate(folder, load, "--concurrency-limit", 4).stdout)


async def test_a_real_prometheus_gives_what_the_same_load_in_a_file_gives(tmp_path: Path) -> None:
    end = int(time.time() // 15 * 15) - 3600
    begin = end - 15 * len(LOADS)
    samples = [f"load {load} {begin + 15 * (tick + 1)}" for tick, load in enumerate(LOADS)]
    (tmp_path / "load.txt").write_text("\n".join(("# TYPE load gauge", *samples, "# EOF", "")))
    promtool = Cache.from_environment().programs / "promtool"
    written = ("tsdb", "create-blocks-from", "openmetrics", tmp_path / "load.txt", tmp_path / "data")
    subprocess.run([promtool, *written], check=True, capture_output=True)
    async with prometheus(tmp_path, []) as address:
        source = ("--prometheus", address, "--query", "sum(load)", "--from", begin, "--to", end)
        done = await simulate_beside(tmp_path, *source, "--concurrency-limit", 4)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "prewarm-simulate.html").read_text()
    assert rows(done.stdout) == from_file(tmp_path, begin) != {}
    assert "<h1>Scaling on sum(load)</h1>" in page


async def test_times_are_those_of_whole_bins(tmp_path: Path) -> None:
    async with fake(wave) as server:
        done = await simulate_beside(tmp_path, *ask(server, BEGIN, END + 14), "--concurrency-limit", 4)
    assert rows(done.stdout) == from_file(tmp_path, BEGIN) != {}
    starts = [float(request.query["start"]) for request in server.questions]
    assert starts[0] == BEGIN + 15
    assert {float(request.query["step"]) for request in server.questions} == {15.0}
    assert float(server.questions[-1].query["end"]) == END


async def test_a_long_range_is_asked_for_in_parts_that_every_server_gives(tmp_path: Path) -> None:
    async with fake(lambda at: 5) as server:
        done = await simulate_beside(tmp_path, *ask(server, BEGIN, BEGIN + 5 * 3600))
    assert done.returncode == 0, done.stderr
    asked = [request.query for request in server.questions]
    assert len(asked) > 1
    assert all(float(one["end"]) - float(one["start"]) < 15 * 11_000 for one in asked)
    points = [range(int(float(one["start"])), int(float(one["end"])) + 1, 15) for one in asked]
    assert [at for part in points for at in part] == list(range(BEGIN + 15, BEGIN + 5 * 3600 + 1, 15))


async def test_iso_times_and_no_end(tmp_path: Path) -> None:
    async with fake(lambda at: 5) as server:
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        source = ("--prometheus", server.address, "--query", "x", "--from", begin)
        done = await simulate_beside(tmp_path, *source)
    assert done.returncode == 0, done.stderr
    assert time.time() - 60 < float(server.questions[-1].query["end"]) <= time.time()


@pytest.mark.parametrize("by", ["file", "environment"])
async def test_who_asks(tmp_path: Path, by: str) -> None:
    (tmp_path / "token").write_text("secret\n")
    async with fake(wave) as server:
        option = ("--bearer-token-file", "token") if by == "file" else ()
        environment = {} if by == "file" else {"PREWARM_PROMETHEUS_TOKEN": "secret"}
        headers = ("--header", "X-Scope-OrgID: team", "--header", "X-Other:1")
        done = await simulate_beside(tmp_path, *ask(server), *option, *headers, **environment)
    assert done.returncode == 0, done.stderr
    sent = server.questions[0].headers
    assert (sent["Authorization"], sent["X-Scope-OrgID"], sent["X-Other"]) == ("Bearer secret", "team", "1")


async def test_an_authority_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no PEM")
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    async with fake(wave) as server:
        done = await simulate_beside(tmp_path, *ask(server), "--ca-file", "ca.pem")
    assert (done.returncode, server.questions) == (2, [])
    assert "cannot be asked" in done.stderr


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            lambda at: None if BEGIN + 300 <= at < BEGIN + 360 else 5,
            "Prometheus, 2026-01-01T00:05:00Z: there is no load",
        ),
        (lambda at: "NaN" if at == BEGIN + 600 else 5, "Prometheus, 2026-01-01T00:10:00Z: there is no load"),
        (lambda at: -1 if at == BEGIN + 600 else 5, "or one that cannot be, there and at 0 more of 120 times"),
        (lambda at: None, "Prometheus has no value of the query in that time"),
        (lambda at: 0, "there is no load after the first third"),
    ],
)
async def test_what_is_no_load_is_refused_with_its_time(tmp_path: Path, value: Value, sentence: str) -> None:
    async with fake(value) as server:
        done = await simulate_beside(tmp_path, *ask(server))
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


async def test_a_server_that_is_not_there_or_has_no_such_path(tmp_path: Path) -> None:
    async with fake(wave) as server:
        server.address = server.address.removesuffix("/prom")
        wrong = await simulate_beside(tmp_path, *ask(server))
    absent = await simulate_beside(tmp_path, *ask(server))
    for done, words in ((wrong, "without /api/v1)"), (absent, "it cannot be asked")):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("prewarm simulate: Prometheus, 2026-01-01T00:00:15Z: ")
        assert words in done.stderr


async def test_a_range_that_is_none(tmp_path: Path) -> None:
    async with fake(wave) as server:
        done = await simulate_beside(tmp_path, *ask(server, END, BEGIN))
    assert done.returncode == 2
    assert "--from and --to must be half a minute apart at least" in done.stderr
