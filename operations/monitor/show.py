"""``sandcastle monitor show``: the monitors of a workload and their newest runs."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from operations.console import Console
from operations.monitor.found import read_reports
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.runs import BUSY, Run, folders_of, runs

_WORDS = {"Completed": "as it was", "CompletedWithViolations": "violations"}


def show(watched: Watched, word: str | None, limit: int, console: Console) -> dict[str, Any]:
    """Show each monitor with its newest ``limit`` runs and what they found."""
    shown = []
    for monitor in watched.chosen(word):
        newest = [_run(watched, run) for run in runs(watched, monitor, limit)]
        console.say(f"{watched.workload} {monitor.word}: {monitor.status}, {monitor.rhythm}, on {monitor.about}")
        if newest:
            console.show(_table(newest))
        else:
            console.say("  has not run yet.")
        shown.append({**_monitor(monitor), "runs": newest})
    console.say(f"A page about the newest run: {watched.command('report')}")
    console.say(f"A run now: {watched.command('run')}")
    return {"workload": watched.workload, "endpoint": watched.endpoint, "monitors": shown}


def document(watched: Watched, run: Run) -> dict[str, Any]:
    """Return a run for a program: with the violations that it found."""
    return {"monitor": run.monitor.word, **_run(watched, run)}


def _monitor(monitor: Monitor) -> dict[str, Any]:
    return {
        "monitor": monitor.word,
        "schedule": monitor.schedule,
        "status": monitor.status,
        "rhythm": monitor.rhythm,
        "engine": monitor.engine,
    }


def _run(watched: Watched, run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {
        "moment": run.moment,
        "status": run.status,
        "by_hand": run.by_hand,
        "job": run.job,
        "reason": run.reason,
        "why": "" if run.analysed or run.status in BUSY else run.why,
        "rows": None,
        "violations": [],
        "report": None,
    }
    if run.analysed:
        folders = folders_of(watched, run)
        reports = read_reports(watched, folders, baseline=False)
        found["report"] = folders.report
        if reports:
            why = run.why if reports.empty else ""
            found |= {"rows": reports.rows, "violations": list(reports.violations), "why": why}
    return found


def _table(newest: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE)
    for heading in ("run", "by", "result", "rows", "violations"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "rows" else "left")
    for one in newest:
        table.add_row(
            f"{one['moment']:%Y-%m-%d %H:%M}",
            "hand" if one["by_hand"] else "schedule",
            "nothing to judge" if one["rows"] == 0 and one["why"] else _WORDS.get(one["status"], one["status"]),
            "" if one["rows"] is None else f"{one['rows']:,}",
            named(one["violations"]) or one["why"],
        )
    return table


def named(violations: list[dict[str, Any]], most: int = 5) -> str:
    """Return what violations are about: ``body_mass_g, island and 3 more``."""
    names = list(dict.fromkeys(str(one.get("feature_name") or one.get("metric_name", "")) for one in violations))
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
