"""`prewarm-agent check`: what a spec would be refused or warned for, without a cluster, a key, or a load of it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from prewarm_agent.spec.findings import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "spec", metavar="FILE", help="an agent spec, or a component as AutoGen exports it; - reads stdin"
    )
    parser.add_argument("--allow-code", action="store_true", help="as security.allowCode: true would")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit code: 0 if the spec would be served, warnings or not; 1 if it would be refused."""
    findings = _findings(options)
    if options.json:
        print(json.dumps({"findings": [_as_json(finding) for finding in findings]}, indent=2))
    else:
        _show(findings)
    return 1 if any(not finding.warning for finding in findings) else 0


def _findings(options: argparse.Namespace) -> list[Finding]:
    # Here, because `serve` must not wait for any of it.
    from prewarm_agent.spec import document, names
    from prewarm_agent.spec.check import PATH, examine_spec
    from prewarm_agent.spec.findings import PermanentError

    try:
        spec = document.read(Path("/dev/stdin" if options.spec == "-" else options.spec))
    except PermanentError as error:
        return list(error.findings)
    spec.security.allow_code |= options.allow_code
    findings = [*examine_spec(spec), *names.of_models(spec, PATH)]
    return sorted(findings, key=lambda finding: finding.warning)


def _show(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout)
    if not findings:
        console.print("[green]The spec can be served.[/green]")
        return
    table = Table("")
    # Whole, however long: the path is what people look for.
    table.add_column("where", overflow="fold")
    table.add_column("what to know", overflow="fold")
    for finding in findings:
        kind = "[yellow]warning[/yellow]" if finding.warning else f"[red]{finding.reason}[/red]"
        table.add_row(kind, finding.path, finding.text)
    console.print(table)


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "reason": str(finding.reason),
        "path": finding.path,
        "text": finding.text,
        "severity": "warning" if finding.warning else "error",
    }
