"""What a person sees while an act runs: headings, every command, what it says, and one live line."""

from __future__ import annotations

import time
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

# Without a terminal there is no line to rewrite: a log gets one every so often.
LOG_INTERVAL_SECONDS = 10.0
LOG_WIDTH = 120


class Narrator:
    """Prints to stdout. On a terminal the live line stays last and is rewritten in place."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = LOG_WIDTH
        self._status: Status | None = None
        self._logged_seconds = float("-inf")

    def heading(self, text: str) -> None:
        self._console.print(f"\n[bold]{escape(text)}[/bold]")

    def say(self, text: str) -> None:
        self._console.print(escape(text))

    def command(self, text: str) -> None:
        self._console.print(f"[cyan]$ {escape(text)}[/cyan]", soft_wrap=True)

    def output(self, text: str) -> None:
        """What a command said. A line that only repeats the one before is left out: kubectl does so while it waits."""
        for line, _ in groupby(text.splitlines()):
            self._console.print(f"[dim]  {escape(line)}[/dim]", soft_wrap=True)

    def table(self, table: Table) -> None:
        self._console.print(table)

    def live(self, text: str) -> None:
        """Replace the live line."""
        if not self._console.is_terminal:
            now_seconds = time.monotonic()
            if now_seconds - self._logged_seconds >= LOG_INTERVAL_SECONDS:
                self._logged_seconds = now_seconds
                self.say(text)
        elif self._status is None:
            self._status = self._console.status(escape(text))
            self._status.start()
        else:
            self._status.update(escape(text))

    def end_live(self) -> None:
        """Take the live line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None
