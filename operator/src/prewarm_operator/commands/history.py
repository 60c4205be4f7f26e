"""A recorded load out of Prometheus."""

import asyncio
import math
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.signals.prometheus import Prometheus
from prewarm_operator.signals.server import Server, is_address
from prewarm_operator.simulate.record import Record, RecordRefused

TOKEN = "PREWARM_PROMETHEUS_TOKEN"  # noqa: S105

_AGENT = ("", "")


def server(address: str, token_file: Path | None, headers: Mapping[str, str], ca_file: Path | None) -> Server:
    """How to reach it: with the bearer token of a file, else that of the environment if there is one.

    Raises:
        RecordRefused: there can be no server at such an address.
    """
    if not is_address(address):
        raise RecordRefused(f"{address!r} is no address of a Prometheus; give one like http://localhost:9090.")
    token = os.environ.get(TOKEN)
    if token_file is None and token:
        headers = {"Authorization": f"Bearer {token}", **headers}
    return Server(address, bearer_token_file=token_file, ca_file=ca_file, headers=headers)


def load(source: Server, query: str, begin: float, end: float, done: Callable[[float], None]) -> Record:
    """The load that `query` gives from `begin` to `end` (epoch seconds), in bins of a tick on the clock's quarters.

    `done` is told for how many seconds it has come.

    Raises:
        RecordRefused: it cannot be had, or a part of it is missing or is no load; a sentence with time and remedy.
    """
    return asyncio.run(_load(source, query, begin, end, done))


async def _load(source: Server, query: str, begin: float, end: float, done: Callable[[float], None]) -> Record:
    prometheus = Prometheus(source)
    times: list[float] = []
    loads: list[float] = []
    try:
        # A value of Prometheus is that of its moment, the end of a bin.
        async for hour in prometheus.own_history(_AGENT, query, begin + TICK_SECONDS, end, TICK_SECONDS):
            if hour.problem:
                raise RecordRefused(f"Prometheus, {_clock(hour.epoch_seconds[0])}: it {hour.problem}.")
            times += hour.epoch_seconds
            loads += hour.loads.get(_AGENT, [math.nan] * len(hour.epoch_seconds))
            done(times[-1] - begin)
    finally:
        await prometheus.close()
    if len(times) < 2:
        raise RecordRefused("--from and --to must be half a minute apart at least: --from earlier, or --to later.")
    unknown = [at for at, value in zip(times, loads, strict=True) if math.isnan(value)]
    if unknown:
        raise RecordRefused(_gaps(unknown, len(times)))
    return Record(times[0] - TICK_SECONDS, TICK_SECONDS, np.array(loads), are_concurrent=True)


def _gaps(unknown: list[float], count: int) -> str:
    if len(unknown) == count:
        return "Prometheus has no value of the query in that time; ask it in its own page first."
    return (
        f"Prometheus, {_clock(unknown[0])}: there is no load, or one that cannot be, there and at {len(unknown) - 1} "
        f"more of {count} times; choose a range without gaps, or fill them in the query, as with last_over_time."
    )


def _clock(epoch_seconds: float) -> str:
    return f"{datetime.fromtimestamp(epoch_seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
