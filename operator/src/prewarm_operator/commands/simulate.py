"""`prewarm simulate FILE`: a recorded load through the operator's own decision, and through those of others."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from prewarm_operator.commands import report
from prewarm_operator.decide.scale import TARGET_SHARE
from prewarm_operator.simulate.comparison import Answer, Question, compare
from prewarm_operator.simulate.record import RecordRefused, read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("file", type=Path, help="CSV: timestamp_seconds or time, then requests or concurrent")
    parser.add_argument("--start-seconds", type=_positive, default=45.0, help="from the decision until a pod serves")
    parser.add_argument("--service-seconds", type=_positive, default=30.0, help="how long a request takes on average")
    parser.add_argument("--concurrency-limit", type=_count, default=100, help="requests that one pod takes at once")
    parser.add_argument("--min-replicas", type=_count, default=1, help="fewest pods")
    parser.add_argument("--max-replicas", type=_count, default=1000, help="most pods")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="also write a page with plots")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        question = _question(options)
        answers = _ask(question)
        Console().print(_table(answers))
        if options.report is not None:
            options.report.write_text(report.page(options.file.name, question, answers), encoding="utf-8")
            print(f"report: {options.report}")
    except RecordRefused as refusal:
        sys.stderr.write(f"prewarm simulate: {refusal}\n")
        return 2
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"prewarm simulate: {options.file}: {error}\n")
        return 2
    return 0


def _question(options: argparse.Namespace) -> Question:
    if options.max_replicas < options.min_replicas:
        raise RecordRefused("--max-replicas must not be below --min-replicas: raise it.")
    with options.file.open(encoding="utf-8-sig", newline="") as lines:
        record = read(lines, options.file.name)
    demand = record.demand(options.service_seconds).tolist()
    if max(demand) == 0:
        raise RecordRefused(f"{options.file.name}: there is no load in it.")
    return Question(
        demand=demand,
        begins_epoch_seconds=record.begins_epoch_seconds,
        start_seconds=options.start_seconds,
        concurrency_limit=options.concurrency_limit,
        low=options.min_replicas,
        high=options.max_replicas,
    )


def _ask(question: Question) -> Sequence[Answer]:
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("simulating", total=len(question.demand))
        return list(compare(question, lambda tick: progress.update(task, completed=tick + 1)))


def _table(answers: Sequence[Answer]) -> Table:
    hpa = next(answer for answer in answers if answer.policy == "HPA" and answer.is_default)
    table = Table(caption="* the default")
    for name in ("policy", "cold demand", "time cold", "pod-hours", f"of HPA {TARGET_SHARE:.0%}", "starts"):
        table.add_column(name, justify="left" if name == "policy" else "right", no_wrap=name == "policy")
    for answer in answers:
        done = answer.outcome
        table.add_row(
            f"{answer.policy}, {answer.setting}{' *' if answer.is_default else ''}",
            f"{done.cold_share:.3%}",
            f"{done.cold_time_share:.2%}",
            f"{done.pod_hours:.1f}",
            f"{done.pod_hours / hpa.outcome.pod_hours:.0%}",
            str(done.starts),
        )
    return table


def _number(text: str, read_as: Callable[[str], float]) -> float:
    try:
        value = read_as(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return value


def _positive(text: str) -> float:
    return _number(text, float)


def _count(text: str) -> int:
    return int(_number(text, int))
