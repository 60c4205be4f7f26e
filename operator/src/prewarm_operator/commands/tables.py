"""Tables on a terminal or in a pipe, of texts that others wrote."""

import os
import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 1000
"""Columns where nobody looks at a screen: lines are not broken for whoever reads them next."""


def console() -> Console:
    """Standard output: colours on a terminal alone."""
    wide = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=PIPE_WIDTH if wide else None, highlight=False, markup=False, emoji=False)


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; `numbers` are the columns that are aligned to the right. The last column may be broken."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        last = column == columns[-1]
        made.add_column(column, justify="right" if column in numbers else "left", no_wrap=not last)
    return made


def cell(value: object, style: str = "") -> Text:
    """Text of the cluster as it is: no markup, and no control characters that would reach the terminal."""
    text = "" if value is None else str(value)
    return Text("".join(letter if letter.isprintable() else " " for letter in text), style=style)
