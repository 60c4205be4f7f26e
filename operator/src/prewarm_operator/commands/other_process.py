"""The forecasts of `prewarm simulate` in a process of their own: they take the most time, and there is another core."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from prewarm_operator.simulate.forecasts import Parts, Setting, in_parts


class ForecastStopped(RuntimeError):
    """The other process has ended before its work was done."""


def forecasts(demand: Sequence[float], settings: Sequence[Setting], begins_epoch_seconds: float) -> Parts:
    """What `in_parts` gives, computed by another process, which lives as long as this generator.

    Raises:
        ForecastStopped: it has ended; the message says how.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy the thread that draws the progress, half of it
    ours, theirs = context.Pipe()
    process = context.Process(target=_forecast, args=(theirs,), daemon=True)
    with _interrupts_ignored():
        process.start()
    theirs.close()
    missing = len(demand)
    try:
        ours.send((demand, settings, begins_epoch_seconds))
        while missing:
            part = ours.recv()
            missing -= len(part.keys) // len(settings)
            yield part
    except (EOFError, ConnectionError):
        process.join()
        raise ForecastStopped(
            f"the process that forecasts has ended with code {process.exitcode}; if nobody stopped it, see whether "
            "memory is short, and run this again."
        ) from None
    finally:
        process.terminate()
        process.join()
        ours.close()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """For a process that is started meanwhile: Ctrl-C reaches it too, and it is this one that ends it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _forecast(connection: Connection) -> None:
    with suppress(ConnectionError):  # nobody is there any more to hear it
        for part in in_parts(*connection.recv()):
            connection.send(part)
