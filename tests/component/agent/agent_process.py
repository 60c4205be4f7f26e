"""The agent as a pod has it: a process of its own, a spec in a file, two ports, signals and an exit code."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai

SOURCE = Path(__file__).parents[3] / "agent_image" / "src"


class AgentProcess:
    """Use `running` to get one whose ports are bound."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        self.process = process
        self._directory = directory
        self.port = 0
        self.probe_port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def termination_message(self) -> dict[str, str]:
        return json.loads((self._directory / "termination-log").read_text())

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._directory / "log").read_text().splitlines()]

    async def bound(self) -> None:
        """Returns when the process listens, or has ended."""
        while self.process.returncode is None:
            for line in (self._directory / "log").read_text().splitlines(keepends=True):
                if line.endswith("\n") and (entry := json.loads(line))["message"] == "listening":
                    self.port, self.probe_port = entry["port"], entry["probe_port"]
                    return
            await asyncio.sleep(0.01)

    async def probe(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{self.probe_port}{path}")

    async def warm(self) -> None:
        async with asyncio.timeout(30):
            while (await self.probe("/warmupz")).status_code != 200:
                await asyncio.sleep(0.05)

    async def metric(self, name: str) -> dict[str, float]:
        """The samples of a metric by their labels, as Prometheus writes them: `{kind="tool"}`."""
        lines = (await self.probe("/metrics")).text.splitlines()
        samples = (line.rpartition(" ") for line in lines if line.startswith((f"{name} ", f"{name}{{")))
        return {sample.removeprefix(name): float(value) for sample, _, value in samples}

    def openai(self, **options: Any) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key="unused", **{"max_retries": 0, **options})

    async def ask(self, text: str, **options: Any) -> str:
        """One answer through the OpenAI SDK."""
        async with self.openai() as client:
            completion = await client.chat.completions.create(
                model="support", messages=[{"role": "user", "content": text}], **options
            )
        return str(completion.choices[0].message.content)

    async def post(self, text: str, **fields: Any) -> httpx.Response:
        """One answer as it is on the wire."""
        body = {"model": "support", "messages": [{"role": "user", "content": text}], **fields}
        async with httpx.AsyncClient(timeout=30) as client:
            return await client.post(f"{self.url}/v1/chat/completions", json=body)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def exit_code(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def running(spec: object, **environment: str) -> AsyncIterator[AgentProcess]:
    """Starts a process for `spec`, an object or the text of the file, and yields it when its ports are bound."""
    with tempfile.TemporaryDirectory(prefix="prewarm-agent-") as name:
        directory = Path(name)
        (directory / "agent.json").write_text(spec if isinstance(spec, str) else json.dumps(spec))
        async with running_in(directory, "--spec", str(directory / "agent.json"), **environment) as agent:
            yield agent


@asynccontextmanager
async def running_in(
    directory: Path, *arguments: str, port: int = 0, probe_port: int = 0, **environment: str
) -> AsyncIterator[AgentProcess]:
    """Starts `serve` with these arguments and a log in `directory`, and yields it when its ports are bound."""
    (directory / "termination-log").touch()
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "prewarm_agent", "serve", *arguments),
            *("--port", str(port), "--probe-port", str(probe_port)),
            stderr=log,
            env={
                "PATH": os.environ["PATH"],
                "OPENAI_API_KEY": "unused",
                "PREWARM_TERMINATION_LOG": str(directory / "termination-log"),
                **environment,
                "PYTHONPATH": os.pathsep.join([str(SOURCE), environment.get("PYTHONPATH", "")]),
            },
        )
    agent = AgentProcess(process, directory)
    try:
        async with asyncio.timeout(30):
            await agent.bound()
        yield agent
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
