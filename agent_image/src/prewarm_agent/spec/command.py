"""`prewarm-agent check`: what a spec would be refused or warned for, without a cluster, a key, or a load of it.

An author's own code is not imported: that it can be served is for `doctor` to say.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prewarm_agent.spec.findings import Finding

if TYPE_CHECKING:
    from rich.table import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "spec", metavar="FILE", help="an agent spec, or a component as AutoGen exports it; - reads stdin"
    )
    parser.add_argument("--allow-code", action="store_true", help="as security.allowCode: true would")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit code: 0 if nothing was found for which the spec would be refused, warnings or not; 1 otherwise."""
    findings, entrypoint = _findings(options)
    if options.json:
        not_checked = [] if entrypoint is None else ["agent.entrypoint"]
        print(json.dumps({"findings": list(map(_as_json, findings)), "not_checked": not_checked}, indent=2))
    else:
        _show(findings, entrypoint)
    return 1 if any(not finding.warning for finding in findings) else 0


def _findings(options: argparse.Namespace) -> tuple[list[Finding], str | None]:
    """The findings, errors first, and the factory that was not looked at."""
    # Here, because `serve` must not wait for any of it.
    from prewarm_agent.spec import document, names
    from prewarm_agent.spec.check import examine_spec
    from prewarm_agent.spec.findings import PermanentError

    try:
        spec = document.read(Path("/dev/stdin" if options.spec == "-" else options.spec))
    except PermanentError as error:
        return list(error.findings), None
    spec.security.allow_code |= options.allow_code
    findings = [*examine_spec(spec), *names.of_models(spec)]
    return sorted(findings, key=lambda finding: finding.warning), spec.agent.entrypoint


def _show(findings: list[Finding], entrypoint: str | None) -> None:
    from rich.console import Console

    console = Console(file=sys.stdout)
    if findings:
        console.print(_table(findings))
    if all(finding.warning for finding in findings):
        unknown = "nothing was built from it, and no key and no connection was tried"
        if entrypoint is not None:
            unknown = f"check does not import {entrypoint}, prewarm-agent doctor {entrypoint} runs it"
        console.print(f"[green]The spec is valid[/green]; {unknown}.", soft_wrap=True, highlight=False)


def _table(findings: list[Finding]) -> "Table":
    from rich.table import Table

    table = Table("")
    # Whole, however long: the path is what people look for.
    table.add_column("where", overflow="fold")
    table.add_column("what to know", overflow="fold")
    for finding in findings:
        kind = "[yellow]warning[/yellow]" if finding.warning else f"[red]{finding.reason}[/red]"
        table.add_row(kind, finding.path, finding.text)
    return table


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "reason": str(finding.reason),
        "path": finding.path,
        "text": finding.text,
        "severity": "warning" if finding.warning else "error",
    }
