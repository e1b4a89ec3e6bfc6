"""Mistakes in configuration files: one record per mistake, one error for all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SHOWN = 12
"""How many allowed names a message lists before it only counts them."""

_LONGEST_NAME = 200
"""Nothing longer is a slip in a name, and comparing it would take long."""


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: where it is, what was written there, what is wrong and what would be right."""

    file: str
    line: int
    key: str
    message: str
    value: str | None = None
    allowed: str = ""

    def __str__(self) -> str:
        """Return the mistake as ``file:line: key = value`` with the reason below it."""
        head = f"{self.file}:{self.line}:"
        if self.key:
            head += f" {self.key}"
        if self.value is not None:
            head += f" = {self.value}"
        lines = [head, f"    {self.message}"]
        if self.allowed:
            lines.append(f"    allowed: {self.allowed}")
        return "\n".join(lines)


class ConfigError(Exception):
    """The configuration is wrong; ``problems`` holds every mistake, ordered by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take all mistakes at once, so that one run shows them all."""
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.key)))
        count = len(self.problems)
        title = f"{count} mistake{'s' if count != 1 else ''} in the configuration; nothing was synthesised."
        super().__init__("\n".join([title, *(str(problem) for problem in self.problems)]))


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``; did you mean X?`` for the valid name closest to the wrong one, or nothing."""
    if len(name) > _LONGEST_NAME:
        return ""
    close = difflib.get_close_matches(name, list(names), n=5, cutoff=0.5)
    if not close:
        return ""
    swapped = [one for one in close if sorted(one) == sorted(name)]  # us-esat-1 is as close to us-west-1 as to its own
    return f"; did you mean {(swapped or close)[0]}?"


def listed(names: Sequence[str], near: str = "") -> str:
    """Return the allowed names for a message: all when few, else those closest to ``near`` and a count."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    close = difflib.get_close_matches(near, names, n=5, cutoff=0.3) or list(names[:5])
    return f"{', '.join(close)} and {len(names) - len(close)} more"
