"""What a start costs, and what a first request still pays: make bench NAME=startup.

Starts one agent after the other, with the import accelerator and without, in turn. Takes about a minute.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from lib import report, servers

ROUNDS = 11
LATER_REQUESTS = 50
START_TIMEOUT_SECONDS = 60.0

MEANINGS = {
    "accelerated_over_plain": "CPU from spawn to ready, import accelerator over none (at most 0.65)",
    "live_over_ready": "time from spawn to live over time to ready (at most 0.30)",
    "first_request_over_later": "CPU of the first request after the warm-up over the median of later ones (at most 2)",
    "accelerated_cpu_ms": "CPU from spawn to ready, with the import accelerator",
    "plain_cpu_ms": "the same without it",
    "live_ms": "from spawn until /livez answers",
    "ready_ms": "from spawn until /readyz answers 200",
    "first_request_cpu_ms": "CPU of the first request",
    "later_request_cpu_ms": "CPU of later ones",
}


@dataclass(frozen=True)
class Start:
    """One process, from its first moment to the end of a few requests. All in seconds, requests in CPU seconds."""

    live: float
    ready: float
    ready_cpu: float
    first_request: float
    later_request: float


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, to the nanosecond, unlike /proc (see clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def spawned(spec: Path, log: Path, *, accelerate: bool) -> Iterator[int]:
    """An agent process; yields its id."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ["PYTHONPATH"],
        "OPENAI_API_KEY": "unused",
        "PREWARM_ACCELERATE": str(accelerate).lower(),
    }
    command = [sys.executable, "-m", "prewarm_agent", "serve", "--spec", spec, "--port", "0", "--probe-port", "0"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=stderr)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


async def logged(log: Path, message: str) -> dict[str, object]:
    """Waits for a line of the log, which costs the process nothing, unlike a probe."""
    async with asyncio.timeout(START_TIMEOUT_SECONDS):
        while True:
            for line in log.read_text().splitlines(keepends=True):
                if line.endswith("\n") and (entry := json.loads(line))["message"] == message:
                    return entry
            await asyncio.sleep(0.002)


async def measure(spec: Path, log: Path, *, accelerate: bool) -> Start:
    """Starts an agent and asks it."""
    began = time.perf_counter()
    with spawned(spec, log, accelerate=accelerate) as pid:
        async with httpx.AsyncClient() as http:
            ports = await logged(log, "listening")
            probes, users = (f"http://127.0.0.1:{ports[name]}" for name in ("probe_port", "port"))
            (await http.get(f"{probes}/livez")).raise_for_status()
            live = time.perf_counter() - began
            await logged(log, "warm")
            (await http.get(f"{probes}/readyz")).raise_for_status()
            ready, ready_cpu = time.perf_counter() - began, cpu_seconds(pid)
            first, *later = [await ask(http, users, pid) for _ in range(1 + LATER_REQUESTS)]
    return Start(live, ready, ready_cpu, first, statistics.median(later))


async def ask(http: httpx.AsyncClient, url: str, pid: int) -> float:
    """CPU seconds of one request."""
    before = cpu_seconds(pid)
    body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
    (await http.post(url + servers.COMPLETIONS, json=body)).raise_for_status()
    await asyncio.sleep(0.01)  # what the server does when it has answered belongs to the request
    return cpu_seconds(pid) - before


async def main() -> None:
    """Start agents in turn and write build/bench/startup.json."""
    with tempfile.TemporaryDirectory(prefix="prewarm-bench-") as folder:
        spec, log = Path(folder) / "agent.json", Path(folder) / "log"
        async with servers.model() as model:
            component = servers.assistant(model.url)
            spec.write_text(json.dumps({"name": "support", "agent": {"component": component}}))
            await measure(spec, log, accelerate=True)  # writes the byte code, which an image has
            accelerated, plain = [], []
            for number in range(ROUNDS):
                print(f"  round {number + 1} of {ROUNDS}", flush=True)
                accelerated.append(await measure(spec, log, accelerate=True))
                plain.append(await measure(spec, log, accelerate=False))

    def middle(name: str, starts: list[Start]) -> float:
        return statistics.median(getattr(start, name) for start in starts)

    figures: dict[str, report.Figure] = {
        "accelerated_over_plain": middle("ready_cpu", accelerated) / middle("ready_cpu", plain),
        "live_over_ready": statistics.median(start.live / start.ready for start in accelerated),
        "first_request_over_later": statistics.median(
            start.first_request / start.later_request for start in accelerated
        ),
        "accelerated_cpu_ms": middle("ready_cpu", accelerated) * 1000,
        "plain_cpu_ms": middle("ready_cpu", plain) * 1000,
        "live_ms": middle("live", accelerated) * 1000,
        "ready_ms": middle("ready", accelerated) * 1000,
        "first_request_cpu_ms": middle("first_request", accelerated) * 1000,
        "later_request_cpu_ms": middle("later_request", accelerated) * 1000,
    }
    report.write("startup", figures, MEANINGS)


if __name__ == "__main__":
    asyncio.run(main())
