"""What serving and AutoGen add to the call of the model that every request needs."""

import asyncio
import statistics
import sys
from pathlib import Path

from lib import servers
from lib.closed_loop import ask
from lib.report import Figure

CLIENTS = 16
REQUESTS = 2_000
ROUNDS = 5

MEANINGS = {
    "overhead_over_sdk": "CPU of a request over that of the same call by the OpenAI SDK alone, 16 concurrent (<= 1.6)",
    "cpu_ms_per_request": "CPU of a request, 16 concurrent",
}


async def measure(folder: Path) -> dict[str, Figure]:
    """Medians of rounds in which both take turns, so that what else the machine does meets both."""
    async with servers.model() as model, servers.agent(folder, servers.assistant(model.url)) as agent:
        url = agent.url + servers.COMPLETIONS
        await ask(url, clients=CLIENTS, requests=REQUESTS // 5)
        ratios, ours = [], []
        for _ in range(ROUNDS):
            sdk_ms = await _sdk_alone(model.url)
            before = agent.cpu_seconds()
            await ask(url, clients=CLIENTS, requests=REQUESTS)
            ours.append((agent.cpu_seconds() - before) / REQUESTS * 1000)
            ratios.append(ours[-1] / sdk_ms)
    return {"overhead_over_sdk": statistics.median(ratios), "cpu_ms_per_request": statistics.median(ours)}


async def _sdk_alone(url: str) -> float:
    """CPU milliseconds of one call."""
    program = Path(__file__).with_name("sdk_alone.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, program, url, str(CLIENTS), str(REQUESTS)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return float(output)
