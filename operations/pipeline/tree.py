"""An execution as people watch it: its steps as a tree, each with its state, its time and a note."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

_STATUS_STYLES = {"Executing": "bold blue", "Stopping": "yellow", "Succeeded": "bold green", "Failed": "bold red"}


def show(execution: Execution, title: str, notes: Mapping[str, str], now: datetime) -> RenderableType:
    """Return the whole picture. ``notes`` say something about steps, by name."""
    head = Text.assemble(
        (title, "bold"),
        (f"  {execution.id}  ", "dim"),
        (execution.status, _STATUS_STYLES.get(execution.status, "yellow")),
        (f"  {duration(round(execution.seconds(now)))}", ""),
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for row in _rows(execution, outline(execution.plan), "", notes, now):
        table.add_row(*row)
    return Group(head, table, Text(summary(execution), style="dim"))


def summary(execution: Execution) -> str:
    """Return how many of the steps are in which state: ``7 of 21 steps: 2 running, 5 succeeded``."""
    states = [execution.state(name) for name in execution.plan.steps]
    words = ", ".join(f"{states.count(state)} {state.value}" for state in State if state in states)
    return f"{count(len(states), 'step')}: {words}"


def took(execution: Execution, name: str, now: datetime) -> str:
    """Return how long a step has run, in words; nothing for one that never ran or took no time."""
    run = execution.steps.get(name)
    seconds = run.seconds(now) if run else None
    if seconds is None or execution.state(name) in (State.CACHED, State.REUSED):
        return ""
    return duration(round(seconds))


def _rows(
    execution: Execution, items: list[Item], guide: str, notes: Mapping[str, str], now: datetime
) -> Iterator[tuple[Text, str, str, Text]]:
    """Return the lines of items that stand one below the other without branching off."""
    for item in items:
        yield _line(execution, item.name, Text(guide, style="dim"), notes, now)
        yield from _branches(execution, item.inside, guide, notes, now)


def _branches(
    execution: Execution, items: list[Item], guide: str, notes: Mapping[str, str], now: datetime
) -> Iterator[tuple[Text, str, str, Text]]:
    for item in items:
        last = item is items[-1]
        joint, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if item.outcome is None:
            yield _line(execution, item.name, Text(guide + joint, style="dim"), notes, now)
            yield from _branches(execution, item.inside, guide + below, notes, now)
            continue
        side = Text.assemble((guide + joint, "dim"), ("yes" if item.outcome else "no", "italic"))
        if all(execution.state(one) is State.SKIPPED for one in _names(item.inside)):
            hidden = count(sum(1 for _ in _names(item.inside)), "step")
            yield side.append(f"  not taken ({hidden})", style="dim"), "", "", Text()
            continue
        yield side, "", "", Text()
        yield from _rows(execution, item.inside, guide + below, notes, now)


def _line(
    execution: Execution, name: str, guide: Text, notes: Mapping[str, str], now: datetime
) -> tuple[Text, str, str, Text]:
    state = execution.state(name)
    mark, style = MARKS[state]
    faint = "dim" if state in (State.WAITING, State.UNREACHED, State.SKIPPED) else ""
    label = Text.assemble(guide, (f"{mark} ", style), (name, faint or ("bold" if state is State.RUNNING else "")))
    words = [state.value] if state in (State.CACHED, State.REUSED, State.STOPPED) else []
    run = execution.steps.get(name)
    if run and run.attempts > 1:
        words.append(f"attempt {run.attempts}")
    words += [notes[name]] if name in notes else []
    return label, execution.plan.steps[name].kind, took(execution, name, now), Text(", ".join(words))


def _names(items: list[Item]) -> Iterator[str]:
    for item in items:
        if item.outcome is None:
            yield item.name
        yield from _names(item.inside)
