"""The API server is gone for a minute: make bench NAME=outage.

What counts is that the operator stays alive, that it writes nothing needless afterwards, and how soon it works
again. Its agents serve on meanwhile, since nothing of theirs goes through the operator.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
from lib import report
from lib.fleet import Fleet, on_new_api_server
from lib.operator_process import OperatorProcess, running

AGENTS = 100
OUTAGE_SECONDS = 60.0

MEANINGS = {
    "liveness_failures": "of one question a second during the outage (must be 0: a restart brings no API server back)",
    "restarts": "of the operator's process (must be 0)",
    "resume_s": "from the API server being ready again until a change of a spec has reached the child",
    "writes_after": "writes after the outage beside those that the change needs (must be 0)",
}


async def liveness_failures(operator: OperatorProcess) -> int:
    """Ask once a second for a minute."""
    failures = 0
    async with httpx.AsyncClient() as http:
        for _ in range(int(OUTAGE_SECONDS)):
            await asyncio.sleep(1)
            failures += (await http.get(f"{operator.address}/livez")).status_code != 200
    return failures


async def resume(fleet: Fleet) -> float:
    """Change a spec; returns the seconds until its child follows."""
    began = time.monotonic()
    await fleet.patch_agent({"replicas": 7})
    while True:
        child = (await fleet.http.get("/apis/apps/v1/namespaces/ns-0/deployments/agent-0")).json()
        if child["spec"]["replicas"] == 7:
            return time.monotonic() - began
        await asyncio.sleep(0.1)


async def main() -> None:
    """Run the outage and write build/bench/outage.json."""
    with tempfile.TemporaryDirectory(prefix="prewarm-bench-") as folder:
        root = Path(folder)
        async with on_new_api_server(root / "plane") as fleet, running(fleet.control_plane, root / "log") as operator:
            await fleet.create(AGENTS)
            await fleet.settled(AGENTS)
            before = fleet.writes()
            print(f"  no API server for {OUTAGE_SECONDS:.0f} s", flush=True)
            fleet.control_plane.kill_api_server()
            failures = await liveness_failures(operator)
            fleet.control_plane.start_api_server()
            await asyncio.to_thread(fleet.control_plane.wait_ready)
            seconds = await resume(fleet)
            await asyncio.sleep(20)  # a second round of lists and watches would show by now
            needed = 3  # the child, the status, and an event that tells of the scaling
            writes = fleet.writes() - before - needed
            restarts = 0 if Path(f"/proc/{operator.pid}").exists() else 1
    figures: dict[str, report.Figure] = {
        "liveness_failures": failures,
        "restarts": restarts,
        "resume_s": seconds,
        "writes_after": writes,
    }
    report.write("outage", figures, MEANINGS)


if __name__ == "__main__":
    asyncio.run(main())
