"""What the command prints: lines for people on standard error or output, one JSON document for machines."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rich.console import Console as RichConsole
from rich.markup import escape

_FILE_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


class Console:
    """Progress goes to standard error, results to standard output; with ``--json`` only the result is printed."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.result = RichConsole(highlight=False)
        if not self.result.is_terminal:
            self.result.width = _FILE_WIDTH  # names of resources are long, and a file has no edge
        self.progress = RichConsole(stderr=True, highlight=False, soft_wrap=True)
        self._started = time.monotonic()

    def step(self, text: str) -> None:
        """Say what begins now, with the seconds since the command started."""
        self.progress.print(f"[dim]{time.monotonic() - self._started:6.1f}s[/dim] {escape(text)}")

    def say(self, text: str) -> None:
        """Print a line of the result, unless a machine reads it."""
        if not self.as_json:
            self.result.print(text, markup=False, soft_wrap=True)

    def show(self, renderable: object) -> None:
        """Print a table or another rich object of the result, unless a machine reads it."""
        if not self.as_json:
            self.result.print(renderable)

    def warn(self, text: str) -> None:
        """Print a warning to standard error."""
        self.progress.print(f"[yellow]{escape(text)}[/yellow]")

    def error(self, text: str) -> None:
        """Print an error to standard error."""
        self.progress.print(f"[bold red]{escape(text)}[/bold red]")

    def finish(self, document: dict[str, Any]) -> None:
        """Print the one JSON document of the command when a machine reads it."""
        if self.as_json:
            json.dump(document, sys.stdout, indent=2, sort_keys=True, default=str)
            sys.stdout.write("\n")
