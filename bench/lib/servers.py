"""The processes that a benchmark of the runtime sets up: agents, the pattern they are compared with, a model's API."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from lib.process import Process

from devcluster.controlplane import listen_on_free_port

START_TIMEOUT_SECONDS = 60.0
COMPLETIONS = "/v1/chat/completions"


@dataclass(frozen=True)
class ServerProcess(Process):
    """A server that answers."""

    url: str
    probe_url: str


def assistant(model_url: str, name: str = "support") -> dict[str, Any]:
    """An AutoGen agent of the simplest kind; `model_url` is the model's API without /v1."""
    client = {
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        # The name that the model server answers with: for any other AutoGen composes a warning at each call.
        "config": {"model": "gpt-4o-mini", "base_url": f"{model_url}/v1", "max_retries": 0},
    }
    config = {
        "name": name,
        "description": "Answers questions.",
        "model_client": client,
        "system_message": "You answer questions.",
        "reflect_on_tool_use": False,
        "tool_call_summary_format": "{result}",
    }
    return {"provider": "autogen_agentchat.agents.AssistantAgent", "component_version": 2, "config": config}


def team(model_url: str) -> dict[str, Any]:
    """Two agents that take turns."""
    members = [assistant(model_url, name) for name in ("writer", "critic")]
    return {
        "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
        "config": {"participants": members, "max_turns": 4},
    }


@asynccontextmanager
async def agent(folder: Path, component: dict[str, Any], **fields: Any) -> AsyncIterator[ServerProcess]:
    """A warm agent; `fields` are those of the agent spec."""
    spec = {"name": "support", "agent": {"component": component}, "warmup": {"mode": "offline"}, **fields}
    path = folder / "agent.json"
    path.write_text(json.dumps(spec))
    arguments = ["-m", "prewarm_agent", "serve", "--spec", str(path)]
    async with _server(arguments, {"OPENAI_API_KEY": "unused"}, "--port", "--probe-port", "/warmupz") as process:
        yield process


@asynccontextmanager
async def generic(folder: Path, pool: dict[str, Any], environment: Mapping[str, str]) -> AsyncIterator[ServerProcess]:
    """A warm generic pod of a pool."""
    path = folder / "pool.json"
    path.write_text(json.dumps(pool))
    arguments = ["-m", "prewarm_agent", "serve", "--generic", str(path)]
    environment = {"OPENAI_API_KEY": "unused", **environment}
    async with _server(arguments, environment, "--port", "--probe-port", "/warmupz") as process:
        yield process


@asynccontextmanager
async def per_request_clients(model_url: str) -> AsyncIterator[ServerProcess]:
    """The pattern that users come from: a model client and an agent built in the handler of every request."""
    arguments = ["-m", "uvicorn", "prewarm_demo.naive.app:app", "--no-access-log"]
    environment = {"OPENAI_API_KEY": "unused", "OPENAI_BASE_URL": f"{model_url}/v1"}
    async with _server(arguments, environment, "--port", None, COMPLETIONS) as process:
        yield process


@asynccontextmanager
async def model(latency_seconds: float = 0.0) -> AsyncIterator[ServerProcess]:
    """The demo's model server, which answers like an echo."""
    arguments = ["-m", "prewarm_demo.model_server", "--latency-seconds", str(latency_seconds)]
    async with _server(arguments, {}, "--port", None, "/healthz") as process:
        yield process


@asynccontextmanager
async def _server(
    arguments: list[str], environment: Mapping[str, str], port_option: str, probe_option: str | None, path: str
) -> AsyncIterator[ServerProcess]:
    with listen_on_free_port() as first, listen_on_free_port() as second:
        port, probe_port = first.getsockname()[1], second.getsockname()[1]
    command = [sys.executable, *arguments, port_option, str(port)]
    if probe_option is not None:
        command += [probe_option, str(probe_port)]
    else:
        probe_port = port
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)
    try:
        server = ServerProcess(process.pid, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{probe_port}")
        await _until_it_answers(server.probe_url + path, process)
        yield server
    finally:
        process.kill()
        process.wait()


async def _until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    async with httpx.AsyncClient() as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await http.get(url)).status_code in (200, 405):
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise SystemExit(f"{' '.join(map(str, process.args))} did not answer")  # type: ignore[arg-type]
