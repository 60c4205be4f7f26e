"""What the operator costs per object, on an API server and etcd alone: make bench NAME=reconcile.

Takes about 15 minutes, 10 of them to see that nothing is written when nothing changes.
"""

import asyncio
import math
import tempfile
import time
from pathlib import Path

from lib import report
from lib.fleet import Fleet, on_new_api_server
from lib.hold import Hold, webhook
from lib.operator_process import OperatorProcess, running

SMALL, LARGE = 100, 1000
QUIET_SECONDS = 600.0
UPDATES = 1000
ATTEMPTS = 3
UPDATES_AT_ONCE = 4
"""The API server takes updates of one object one after the other: of more at once, most only try again."""
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"

MEANINGS = {
    "writes_when_nothing_changed": "writes but Lease renewals in 10 minutes at rest with 1,000 objects (must be 0)",
    "reconciles_for_1000_updates_of_one": "started after the first of 1,000 updates sent while one is held (at most 3)",
    "cpu_ms_per_object_100": "CPU from creation until settled, start-up excluded, 100 AgentDeployments",
    "cpu_ms_per_object_1000": "the same with 1,000",
    "growth_exponent": "log10 of the CPU with 1,000 over the CPU with 100 (at most 1.1)",
    "rss_mib_1000": "resident memory with 1,000 AgentDeployments settled",
}


async def settle(fleet: Fleet, operator: OperatorProcess, count: int) -> float:
    """Create `count` objects; returns the CPU seconds until they are settled."""
    before = operator.cpu_seconds()
    await fleet.create(count)
    await fleet.settled(count)
    await asyncio.sleep(2)
    return operator.cpu_seconds() - before


async def reconciles_of_one(fleet: Fleet, operator: OperatorProcess, folder: Path) -> int:
    """Send a thousand updates of one object while a reconcile of it is held."""
    for _ in range(ATTEMPTS):
        hold = Hold()
        with webhook(folder, hold) as configuration:
            (await fleet.http.post(WEBHOOKS, json=configuration)).raise_for_status()
            await asyncio.sleep(3)  # the API server takes up webhooks by and by
            before = await _begin_held_reconcile(fleet, operator, hold)
            await _send_updates(fleet)
            held_to_the_end = not hold.gave_up.is_set()
            hold.released.set()
            await asyncio.sleep(5)
            (await fleet.http.delete(f"{WEBHOOKS}/hold")).raise_for_status()
        if held_to_the_end:
            held = 1
            return await operator.reconciles() - before - held
        print("    the updates took longer than a write can be held, once more", flush=True)
    raise SystemExit(f"{UPDATES} updates always took longer than a write can be held: run this on an idle machine")


async def _begin_held_reconcile(fleet: Fleet, operator: OperatorProcess, hold: Hold) -> int:
    """Hold a reconcile; returns how many had ended before it."""
    await fleet.patch_agent({"replicas": 3, "maxReplicas": 9})
    if not await asyncio.to_thread(hold.entered.wait, 10):
        raise SystemExit("no reconcile was held: the webhook was not asked")
    return await operator.reconciles()


async def _send_updates(fleet: Fleet) -> None:
    slots = asyncio.Semaphore(UPDATES_AT_ONCE)

    async def update(number: int) -> None:
        async with slots:
            await fleet.patch_agent({"replicas": 1 + number % 9, "maxReplicas": 10 + number})

    started = time.monotonic()
    await asyncio.gather(*(update(number) for number in range(UPDATES)))
    print(f"    {UPDATES} updates in {time.monotonic() - started:.1f} s", flush=True)


async def rest(fleet: Fleet) -> int:
    """Writes during ten minutes in which nothing changes."""
    before, end = fleet.writes(), time.monotonic() + QUIET_SECONDS
    while (left := end - time.monotonic()) > 0:
        print(f"    at rest, {left:.0f} s to go", flush=True)
        await asyncio.sleep(min(60.0, left))
    return fleet.writes() - before


async def main() -> None:
    """Run both sizes and write build/bench/reconcile.json."""
    with tempfile.TemporaryDirectory(prefix="prewarm-bench-") as folder:
        root = Path(folder)
        print(f"  {SMALL} AgentDeployments", flush=True)
        async with on_new_api_server(root / "small") as fleet, running(fleet.control_plane, root / "small.log") as one:
            small_seconds = await settle(fleet, one, SMALL)
            reconciles = await reconciles_of_one(fleet, one, root)
        print(f"  {LARGE} AgentDeployments", flush=True)
        async with on_new_api_server(root / "large") as fleet, running(fleet.control_plane, root / "large.log") as one:
            large_seconds = await settle(fleet, one, LARGE)
            rss_mib = one.rss_mib()
            writes = await rest(fleet)
    figures: dict[str, report.Figure] = {
        "writes_when_nothing_changed": writes,
        "reconciles_for_1000_updates_of_one": reconciles,
        "cpu_ms_per_object_100": small_seconds / SMALL * 1000,
        "cpu_ms_per_object_1000": large_seconds / LARGE * 1000,
        "growth_exponent": math.log10(large_seconds / small_seconds),
        "rss_mib_1000": rss_mib,
    }
    report.write("reconcile", figures, MEANINGS)


if __name__ == "__main__":
    asyncio.run(main())
