"""The examination as people read it."""

from rich.console import Console
from rich.table import Table

from prewarm_agent.doctor.examination import Examination

COLUMNS = ("phase", "ms", "CPU ms", "built", "DNS ms", "TCP ms", "TLS ms", "model calls", "prompt chars")


def show(examination: Examination, console: Console) -> None:
    """Print phases, requests, a verdict and the faults."""
    console.print(f"[bold]{examination.order.target}[/bold] ({examination.seen.kind or 'not loaded'})")
    console.print(_phases(examination))
    console.print(_ratios(examination))
    for fault in examination.faults:
        console.print(f"\n[red]{fault.name}[/red]: {fault.seen}.")
        console.print(f"  [green]Do:[/green] {fault.remedy}.")
    if examination.slower_than_baseline is not None:
        ratio = examination.slower_than_baseline
        console.print(f"\n[red]SlowerThanBaseline[/red]: the start takes {ratio:.2f} times the CPU of the baseline.")
    if examination.healthy:
        console.print("\n[green]No faults.[/green]")


def _phases(examination: Examination) -> Table:
    """Times are of the undisturbed run; what was built and sent, of the instrumented one. No empty columns."""
    rows = []
    for phase in examination.seen.phases:
        timed = examination.times.phase(phase.name) or phase
        network = (phase.dns_seconds, phase.tcp_seconds, phase.tls_seconds)
        rows.append(
            (
                phase.name,
                _ms(timed.seconds),
                _ms(timed.cpu_seconds),
                ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in phase.built.items()),
                *(_ms(seconds) if seconds else "" for seconds in network),
                str(phase.model_calls or ""),
                str(phase.prompt_characters or ""),
            )
        )
    table = Table()
    filled = [(name, cells) for name, *cells in zip(COLUMNS, *rows, strict=True) if any(cells)]
    for name, _ in filled:
        is_text = name in ("phase", "built")
        table.add_column(name, justify="left" if is_text else "right", no_wrap=name != "built")
    for row in zip(*(cells for _, cells in filled), strict=True):
        table.add_row(*row)
    return table


def _ratios(examination: Examination) -> Table:
    figures = examination.figures
    table = Table("figure", "value", show_header=False)
    table.add_row("start, one process", f"{_ms(figures.start_seconds)} ms")
    if figures.start_seconds_of_several is not None:
        count = examination.order.workers
        table.add_row(f"start, {count} processes at once", f"{_ms(figures.start_seconds_of_several)} ms")
    if figures.first_request_cpu_seconds and figures.later_request_cpu_seconds:
        ratio = figures.first_request_cpu_seconds / figures.later_request_cpu_seconds
        table.add_row("first request over later ones (CPU)", f"{ratio:.1f}")
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}" if seconds >= 0.01 else f"{seconds * 1000:.1f}"
