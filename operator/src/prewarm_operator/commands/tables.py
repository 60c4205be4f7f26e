"""Tables on a terminal or in a pipe, of texts that others wrote."""

import os
import re
import sys
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDE = 2**16
"""Columns where lines are not broken, in a pipe, and of a table whose rows are to stay lines: two of the longest
messages that a condition may have."""

_PADDING = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$")


def show(parts: Iterable[RenderableType], *, breaks_lines: bool = True) -> None:
    """Print to standard output; colours, and lines broken at its edge, are for a terminal alone."""
    narrow = breaks_lines and (sys.stdout.isatty() or "COLUMNS" in os.environ)
    console = Console(width=None if narrow else WIDE)
    with console.capture() as printed:
        console.print(*parts, sep="\n")
    for line in printed.get().splitlines():
        print(_PADDING.sub(r"\1", line))


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; `numbers` are the columns that are aligned to the right. The last column may be broken."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        last = column == columns[-1]
        made.add_column(column, justify="right" if column in numbers else "left", no_wrap=not last)
    return made


def cell(value: object, style: str = "") -> Text:
    """Text of the cluster as it is: no markup, and no control characters that would reach the terminal."""
    text = "" if value is None else str(value)
    return Text("".join(letter if letter.isprintable() else " " for letter in text), style=style)
