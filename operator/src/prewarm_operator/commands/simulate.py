"""`prewarm simulate`: a recorded load through the operator's own decision, and through those of others."""

import argparse
import csv
import math
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from prewarm_operator.commands import history, other_process, report, table
from prewarm_operator.simulate.comparison import Comparison, Question, compare
from prewarm_operator.simulate.record import LATEST_EPOCH_SECONDS, Record, RecordRefused, read

FAILED, REFUSED = 1, 2
PROGRESS_TICKS = 200
UNTOLD_COLUMNS = 110
"""Width of the table where there is no terminal that has one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.csv", help="time and load, with a header")
    parser.add_argument("--report", type=Path, default="prewarm-simulate.html", metavar="FILE.html", help="the page")
    parser.add_argument("--start-seconds", type=_positive, default=45.0, help="from the decision until a pod serves")
    parser.add_argument("--service-seconds", type=_positive, default=30.0, help="of a request, where they are counted")
    parser.add_argument("--concurrency-limit", type=_count, default=100, help="requests that one pod takes at once")
    parser.add_argument("--min-replicas", type=_count, default=1, help="fewest pods")
    parser.add_argument("--max-replicas", type=_count, default=1000, help="most pods")
    parser.add_argument(
        "--hpa-target", type=_percent, default=70.0, metavar="PERCENT", help="of the limit: the HPA to be compared with"
    )
    group = parser.add_argument_group("instead of a file")
    group.add_argument("--prometheus", metavar="URL", help="base address of a Prometheus, or of what speaks its API")
    group.add_argument("--query", help="PromQL that gives the requests at once: one series")
    group.add_argument("--from", type=_moment, dest="begin", metavar="TIME", help="Unix time, or ISO 8601 with offset")
    group.add_argument("--to", type=_moment, dest="end", metavar="TIME", help="likewise; without it now")
    group.add_argument("--bearer-token-file", type=Path, metavar="FILE", help="instead of $PREWARM_PROMETHEUS_TOKEN")
    group.add_argument("--header", type=_header, action="append", default=[], metavar="NAME:VALUE", help="one more")
    group.add_argument("--ca-file", type=Path, metavar="FILE.pem", help="authorities that may vouch for the server")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        comparison = _compare(options)
        title = options.file.name if options.file else options.query
        # A file's name may be no text.
        options.report.write_text(report.page(comparison, title), encoding="utf-8", errors="replace")
    except RecordRefused as refusal:
        sys.stderr.write(f"prewarm simulate: {refusal}\n")
        return REFUSED
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"prewarm simulate: {name}{error.strerror or error}; name a file that can be used.\n")
        return REFUSED
    except other_process.ForecastStopped as stopped:
        sys.stderr.write(f"prewarm simulate: {stopped}\n")
        return FAILED
    console = Console() if sys.stdout.isatty() else Console(width=UNTOLD_COLUMNS)
    console.print(table.of(comparison))
    console.print(f"plots: {options.report}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _compare(options: argparse.Namespace) -> Comparison:
    if options.max_replicas < options.min_replicas:
        raise RecordRefused("--max-replicas must not be below --min-replicas: raise it.")
    with Progress(transient=True, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        record = _record(options, progress)
        question = _question(record, options)
        task = progress.add_task("simulating", total=len(question.demand))

        def told(tick: int) -> None:
            if tick % PROGRESS_TICKS == 0:
                progress.update(task, completed=tick)

        return compare(question, told, other_process.forecasts)


def _record(options: argparse.Namespace, progress: Progress) -> Record:
    if (options.file is None) == (options.prometheus is None):
        raise RecordRefused("name a FILE.csv, or --prometheus with --query and --from: one of the two.")
    if options.file is not None:
        return _from_file(options.file)
    if options.query is None or options.begin is None:
        raise RecordRefused("--prometheus needs --query, which gives the load, and --from, when it begins.")
    end = time.time() if options.end is None else options.end
    server = history.server(options.prometheus, options.bearer_token_file, dict(options.header), options.ca_file)
    task = progress.add_task("asking Prometheus", total=end - options.begin)
    return history.load(
        server, options.query, options.begin, end, lambda seconds: progress.update(task, completed=seconds)
    )


def _from_file(file: Path) -> Record:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            return read(lines, file.name)
        except UnicodeDecodeError:
            raise RecordRefused(f"{file.name} is not text in UTF-8; export it as CSV.") from None
        except csv.Error as error:
            raise RecordRefused(f"{file.name} is no CSV ({error}); look for a quote that is not closed.") from None


def _question(record: Record, options: argparse.Namespace) -> Question:
    question = Question(
        demand=record.demand(options.service_seconds).tolist(),
        begins_epoch_seconds=record.begins_epoch_seconds,
        start_seconds=options.start_seconds,
        concurrency_limit=options.concurrency_limit,
        low=options.min_replicas,
        high=options.max_replicas,
        hpa_target=options.hpa_target / 100,
    )
    if not any(question.demand[question.first :]):
        raise RecordRefused("there is no load after the first third, in which the forecast learns; record more.")
    return question


def _number(text: str, read_as: Callable[[str], float], kind: str, most: float = 1e9) -> float:
    try:
        value = read_as(text)
    except ValueError:
        value = 0
    if not 0 < value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} must be {kind} above 0, up to {most:g}")
    return value


def _positive(text: str) -> float:
    return _number(text, float, "a number")


def _percent(text: str) -> float:
    return _number(text, float, "a number", 100)


def _count(text: str) -> int:
    return int(_number(text, int, "a whole number"))


def _moment(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = _iso_8601(text)
    if not 0 <= seconds <= LATEST_EPOCH_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} must be Unix time, or like 2026-01-01T00:00:00Z, with the offset")
    return seconds


def _iso_8601(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    return math.nan if moment.tzinfo is None else moment.timestamp()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not (colon and name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} must be like X-Scope-OrgID:team")
    return name.strip(), value.strip()
