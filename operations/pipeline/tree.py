"""An execution as people watch it: its steps as a tree, each with its state, its time and a note."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from operations.pipeline.execution import Execution, State
from operations.pipeline.outline import Item, outline
from operations.words import count, duration

MARKS = {
    State.WAITING: ("○", "dim"),
    State.RUNNING: ("●", "bold blue"),
    State.SUCCEEDED: ("✔", "green"),
    State.CACHED: ("✔", "cyan"),
    State.REUSED: ("✔", "cyan"),
    State.FAILED: ("✘", "bold red"),
    State.STOPPED: ("■", "yellow"),
    State.SKIPPED: ("-", "dim"),
    State.UNREACHED: ("○", "dim"),
}
"""How each state looks: a sign that says it without colour, and a style of rich's."""

_Row = tuple[Text, str, str, Text]
"""The cells of one line: the step with its guides and its mark, its type, its time, a note."""

_NEVER = frozenset({State.SKIPPED, State.UNREACHED})
_FRAME = 3
"""Lines above and below the steps, the prompt's with them."""

_STATUS_STYLES = {"Executing": "bold blue", "Stopping": "yellow", "Succeeded": "bold green", "Failed": "bold red"}


def show(
    execution: Execution, title: str, notes: Mapping[str, str], now: datetime, lines: int | None = None
) -> RenderableType:
    """Return the whole picture. ``notes`` say something about steps, by name.

    Where there are only so many ``lines`` to see it on, branches in which nothing has happened yet become one.
    """
    head = Text.assemble(
        (title, "bold"),
        (f"  {execution.id}  ", "dim"),
        (execution.status, _STATUS_STYLES.get(execution.status, "yellow")),
        (f"  {duration(round(execution.seconds(now)))}", ""),
    )
    items = outline(execution.plan)
    rows = list(_Rows(execution, notes, now, _NEVER).below(items, ""))
    if lines is not None and len(rows) + _FRAME > lines:
        rows = list(_Rows(execution, notes, now, {*_NEVER, State.WAITING}).below(items, ""))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    return Group(head, table, Text(summary(execution), style="dim"))


def summary(execution: Execution) -> str:
    """Return how many of the steps are in which state: ``7 of 21 steps: 2 running, 5 succeeded``."""
    states = [execution.state(name) for name in execution.plan.steps]
    words = ", ".join(f"{states.count(state)} {state.value}" for state in State if state in states)
    return f"{count(len(states), 'step')}: {words}"


def took(execution: Execution, name: str, now: datetime) -> str:
    """Return how long a step has run, in words; nothing for one that never ran or took no second."""
    run = execution.steps.get(name)
    seconds = run.seconds(now) if run else None
    if seconds is None or execution.state(name) in (State.CACHED, State.REUSED):
        return ""
    return duration(round(seconds)) if round(seconds) else ""


@dataclass(frozen=True)
class _Rows:
    """Makes the lines of one picture; branches all of whose steps are ``folded`` states become one line."""

    execution: Execution
    notes: Mapping[str, str]
    now: datetime
    folded: Set[State]

    def below(self, items: list[Item], guide: str) -> Iterator[_Row]:
        """Return the lines of items that stand one below the other without branching off."""
        for item in items:
            yield self._line(item.name, Text(guide, style="dim"))
            yield from self._branches(item.inside, guide)

    def _branches(self, items: list[Item], guide: str) -> Iterator[_Row]:
        for item in items:
            joint, below = ("└─ ", "   ") if item is items[-1] else ("├─ ", "│  ")
            if item.outcome is None:
                yield self._line(item.name, Text(guide + joint, style="dim"))
                yield from self._branches(item.inside, guide + below)
                continue
            side = Text.assemble((guide + joint, "dim"), ("yes" if item.outcome else "no", "italic"))
            states = {self.execution.state(one) for one in _names(item.inside)}
            if len(states) == 1 and states <= self.folded:
                (state,), steps = states, count(sum(1 for _ in _names(item.inside)), "step")
                yield side.append(f"  {state.value} ({steps})", style="dim"), "", "", Text()
                continue
            yield side, "", "", Text()
            yield from self.below(item.inside, guide + below)

    def _line(self, name: str, guide: Text) -> _Row:
        state, run = self.execution.state(name), self.execution.steps.get(name)
        mark, style = MARKS[state]
        faint = "dim" if state in (State.WAITING, State.UNREACHED, State.SKIPPED) else ""
        label = Text.assemble(guide, (f"{mark} ", style), (name, faint or ("bold" if state is State.RUNNING else "")))
        words = [state.value] if state in (State.CACHED, State.REUSED, State.STOPPED) else []
        words += [f"attempt {run.attempts}"] if run and run.attempts > 1 else []
        words += [self.notes[name]] if name in self.notes else []
        kind = self.execution.plan.steps[name].kind
        return label, kind, took(self.execution, name, self.now), Text(", ".join(words))


def _names(items: list[Item]) -> Iterator[str]:
    for item in items:
        if item.outcome is None:
            yield item.name
        yield from _names(item.inside)
