"""`prewarm-agent doctor`."""

import argparse
import json
import os
import sys
from pathlib import Path

WORKERS = min(4, max(2, os.cpu_count() or 2))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("target", metavar="MODULE:OBJECT", help="an agent, a factory of agents, or a function that answers a text")
    add("--request", metavar="TEXT", help='for an ASGI application: \'POST /path {"message": "TEXT"}\'')
    add("--requests", type=int, default=5, help="how many requests to make (default 5)")
    add("--live", action="store_true", help="ask the real model; otherwise it is answered in the process")
    add("--workers", type=int, default=WORKERS, help=f"processes started at once (default {WORKERS})")
    add("--json", metavar="FILE", type=Path, help="write the result, also as a later baseline")
    add("--baseline", metavar="FILE", type=Path, help="fail if the start takes 25 %% more CPU than there")


def run(options: argparse.Namespace) -> int:
    """Exit code: 0 without a fault, 1 with faults or slower than the baseline, 2 if nothing could be measured."""
    # Here, because `serve` must not wait for any of it.
    from rich.console import Console

    from prewarm_agent.doctor.examination import Order, Unrunnable, examine
    from prewarm_agent.doctor.report import show

    if options.requests < 2:
        print("prewarm-agent doctor: --requests must be at least 2: later ones are compared.", file=sys.stderr)
        return 2
    order = Order(options.target, options.request, options.requests, not options.live, options.workers)
    console = Console()
    try:
        with console.status("measuring: alone, beside others, with instruments"):
            examination = examine(order, options.baseline)
    except (Unrunnable, ValueError) as error:
        print(f"prewarm-agent doctor: {options.target}: {error}", file=sys.stderr)
        return 2
    show(examination, console)
    if options.json is not None:
        options.json.write_text(json.dumps(examination.to_json(), indent=2) + "\n")
    return 0 if examination.healthy else 1
