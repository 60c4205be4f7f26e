"""The load generator's pod: one line of JSON a second while it runs, then every request's record.

Lines are `{"progress": {...}}`, then `{"table": "<chunk>"}` once for each chunk, then `{"done": {...}}`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

import uvloop

from prewarm_demo.load.arrivals import Arrival, poisson, ramp
from prewarm_demo.load.generator import Generator
from prewarm_demo.load.records import OK, encode
from prewarm_demo.summary import percentile

RECENT_SECONDS = 5.0


def _print(kind: str, value: Any) -> None:
    print(json.dumps({kind: value}), flush=True)


def _progress(generator: Generator) -> dict[str, float | int | None]:
    elapsed_seconds = generator.elapsed_seconds()
    since_seconds = elapsed_seconds - RECENT_SECONDS
    recent = [r for r in generator.records[-5000:] if r.due_seconds + r.latency_seconds > since_seconds]
    answered = [r.latency_seconds for r in recent if r.outcome == OK]
    return {
        "elapsed_seconds": round(elapsed_seconds, 3),
        "sent": generator.sent,
        "failed": sum(r.outcome != OK for r in generator.records),
        "answered_per_second": round(len(answered) / min(RECENT_SECONDS, elapsed_seconds or RECENT_SECONDS), 1),
        "p99_seconds": round(percentile(answered, 99), 4) if answered else None,
    }


async def _report_progress(generator: Generator) -> None:
    while True:
        await asyncio.sleep(1)
        _print("progress", _progress(generator))


def _arrivals(args: argparse.Namespace) -> list[Arrival]:
    if args.rates is None:
        return poisson(seed=args.seed, rate_per_second=args.rate, count=args.count, clients=args.clients)
    return ramp(seed=args.seed, rates_per_second=args.rates, step_seconds=args.step_seconds, clients=args.clients)


async def _run(args: argparse.Namespace) -> None:
    arrivals = _arrivals(args)
    generator = Generator(
        args.url,
        clients=args.clients,
        timeout_seconds=args.timeout_seconds,
        model=args.model,
        retries=args.retries,
    )
    await asyncio.sleep(args.begin - time.time())
    cpu_before_seconds = time.process_time()
    reporting = asyncio.create_task(_report_progress(generator))
    records = await generator.run(arrivals)
    reporting.cancel()
    cpu_seconds = time.process_time() - cpu_before_seconds
    for chunk in encode(records):
        _print("table", chunk)
    _print("done", {"requests": len(records), "cpu_seconds": round(cpu_seconds, 3)})


def _rates(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m prewarm_demo.load", description=__doc__)
    parser.add_argument("--url", required=True)
    shape = parser.add_mutually_exclusive_group(required=True)
    shape.add_argument("--rate", type=float, help="requests per second, on average; needs --count")
    shape.add_argument("--rates", type=_rates, metavar="R,R,...", help="the same over time; needs --step-seconds")
    parser.add_argument("--count", type=int, help="requests in all")
    parser.add_argument("--step-seconds", type=float, help="time between two of --rates")
    parser.add_argument("--begin", type=float, default=0.0, metavar="EPOCH_SECONDS", help="when; default: at once")
    parser.add_argument("--model", default="support", help="the agent's name")
    parser.add_argument("--retries", type=int, default=0, help="of what is answered 429")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--timeout-seconds", type=float, default=10)
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
