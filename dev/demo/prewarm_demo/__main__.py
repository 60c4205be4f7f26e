"""`make demo`: run the acts against the cluster and keep what they measured in build/demo.json."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from prewarm_demo import act1, act2
from prewarm_demo.cluster.access import REPOSITORY, find_access
from prewarm_demo.cluster.api import connect
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.errors import DemoError, NotOnThisCluster
from prewarm_demo.install import NAMESPACE, remove_all, remove_demo
from prewarm_demo.narrator import Narrator
from prewarm_demo.report.results import Outcome, merge, surroundings
from prewarm_demo.trial.side import Trial

ACTS: dict[int, Callable[[Trial], Awaitable[Outcome]]] = {1: act1.run, 2: act2.run}
RESULTS = REPOSITORY / "build" / "demo.json"
INTERRUPTED = 130


async def run(asked: list[int] | None, narrator: Narrator, began_epoch_seconds: float) -> list[str]:
    """Run the acts that are asked for, or all that this cluster can; the promises they found broken."""
    access = find_access()
    commands = Commands(access, narrator, REPOSITORY)
    broken = []
    async with connect(access) as api:
        trial = Trial(api, commands, narrator, NAMESPACE)
        for number in asked or sorted(ACTS):
            try:
                outcome = await ACTS[number](trial)
            except NotOnThisCluster as refusal:
                if asked:
                    raise
                narrator.say(f"Act {number} is left out: {refusal}")
                continue
            await remove_demo(commands, wait=False)
            minutes = round((time.time() - began_epoch_seconds) / 60, 2)
            merge(
                RESULTS,
                figures={**outcome.figures, "minutes_total": minutes},
                act=f"act{number}",
                details=outcome.details,
                surroundings=await surroundings(api),
            )
            broken += outcome.broken
            narrator.say(f"Act {number} ended {minutes:g} minutes after the start; its figures are in {RESULTS}.")
    return broken


async def remove(narrator: Narrator, *, everything: bool) -> list[str]:
    """Remove the demo, and with `everything` Prewarm too; nothing can be found broken."""
    commands = Commands(find_access(), narrator, REPOSITORY)
    await (remove_all(commands) if everything else remove_demo(commands, wait=False))
    return []


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m prewarm_demo", description=__doc__)
    subcommands = parser.add_subparsers(dest="command", required=True)
    run_parser = subcommands.add_parser("run", help="run the acts, all or one")
    run_parser.add_argument("--act", type=int, choices=sorted(ACTS), action="append", help="default: all, in order")
    run_parser.add_argument(
        "--began", type=float, default=time.time(), metavar="EPOCH_SECONDS", help="since when minutes_total counts"
    )
    subcommands.add_parser("down", help="remove the demo and Prewarm from the cluster")
    args = parser.parse_args()
    narrator = Narrator()
    if args.command == "down":
        return _attempt(remove(narrator, everything=True), narrator)
    try:
        return _attempt(run(args.act, narrator, args.began), narrator)
    except KeyboardInterrupt:
        narrator.end_live()
        narrator.say("Interrupted. What the demo made is being removed; run it again at any time.")
        return _attempt(remove(narrator, everything=False), narrator) or INTERRUPTED


def _attempt(work: Coroutine[Any, Any, list[str]], narrator: Narrator) -> int:
    """Run `work`, say what it found broken or why it could not go on, and return the exit code."""
    try:
        broken = asyncio.run(work)
    except (DemoError, BaseExceptionGroup) as error:
        narrator.end_live()
        broken = _sentences(error)
    for sentence in broken:
        narrator.say(f"FAILED: {sentence}")
    return 1 if broken else 0


def _sentences(error: DemoError | BaseExceptionGroup[BaseException]) -> list[str]:
    """What the DemoErrors say. Anything else is a bug and is raised again."""
    if isinstance(error, DemoError):
        return [str(error)]
    expected, unexpected = error.split(DemoError)
    if unexpected is not None or expected is None:
        raise error
    return [sentence for inner in expected.exceptions for sentence in _sentences(inner)]


if __name__ == "__main__":
    sys.exit(main())
