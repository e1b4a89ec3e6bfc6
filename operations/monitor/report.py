"""``sandcastle monitor report`` and what ``run`` says at its end: pages about runs, and their verdicts in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.monitor.found import Found, judged
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.now import run_now
from operations.monitor.page import when, write_page
from operations.monitor.runs import BUSY, Run, runs
from operations.monitor.show import document, named
from operations.project import display
from operations.words import count

_SEARCHED = 200
"""Runs among which the asked one is looked for."""


def report(watched: Watched, word: str | None, moment: str | None, folder: Path, console: Console) -> dict[str, Any]:
    """Write a page about the newest run of each monitor that judged something, or about the one of a moment.

    Raises OperationError when no monitor has such a run, with the reason of the newest ones.
    """
    pages, without = [], []
    for monitor in watched.chosen(word):
        every = runs(watched, monitor, _SEARCHED)
        run = next((one for one in every if _is(one, moment) and judged(watched, one)), None)
        if run:
            pages.append(_written(watched, run, folder, console))
        else:
            without.append(_reason(watched, monitor, every, moment))
    if not pages and moment:
        raise UsageError("\n".join(without))
    if not pages:
        raise OperationError("\n".join(without))
    for text in without:
        console.warn(text)
    return {"workload": watched.workload, "pages": pages, "without": without}


def run(watched: Watched, word: str | None, folder: Path, console: Console) -> dict[str, Any]:
    """Run each monitor now and write a page about each; one that cannot run does not keep the others from it.

    Raises OperationError when none could, or one did not end well.
    """
    pages, failed = [], []
    for monitor in watched.chosen(word):
        try:
            ended = run_now(watched, monitor, console)
        except OperationError as error:
            failed.append(str(error))
            continue
        if ended.analysed:
            pages.append(_written(watched, ended, folder, console))
        else:
            failed.append(f"{monitor.word}: {ended.job} is {ended.status}: {ended.why}")
    for text in failed if pages else []:
        console.warn(text)
    if not pages:
        raise OperationError("\n".join(failed))
    return {"workload": watched.workload, "pages": pages, "without": failed}


def _written(watched: Watched, run: Run, folder: Path, console: Console) -> dict[str, Any]:
    found = Found.of(watched, run)
    violations = list(found.reports.violations)
    try:
        path = write_page(found, folder)
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from error
    about = f"{run.monitor.word}: {when(found)}, {count(found.reports.rows, 'row')}"
    if violations:
        console.say(f"{about}, {count(len(violations), 'violation')}: {named([dict(one) for one in violations])}")
    else:
        console.say(f"{about}: as it was in training.")
    console.say(f"Written: {display(path)}")
    return {**document(watched, run), "page": str(path)}


def _is(run: Run, moment: str | None) -> bool:
    """Say whether this is the run of a moment, of which the beginning is enough: ``2026-01-01T15``."""
    return moment is None or f"{run.moment:%Y-%m-%dT%H:%M}".startswith(moment.replace(" ", "T"))


def _reason(watched: Watched, monitor: Monitor, every: list[Run], moment: str | None) -> str:
    if moment and (known := [one for one in every if judged(watched, one)]):
        there = ", ".join(f"{one.moment:%Y-%m-%dT%H:%M}" for one in known)
        return f"{monitor.word}: no run at {moment} has judged anything. There are: {there}"
    if not every:
        return f"{monitor.word} has not run yet. Run it now with: {watched.command('run')}"
    newest = every[0]
    if newest.status in BUSY:
        return f"{monitor.word}: the run of {newest.moment:%Y-%m-%d %H:%M} is {newest.status}; nothing is judged yet."
    when_it_was = f"{newest.moment:%Y-%m-%d %H:%M}"
    return f"{monitor.word} has judged nothing yet. Its newest run, {when_it_was}, is {newest.status}: {newest.why}"
