"""Pieces of HTML that both kinds of pages are made of."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from operations.monitor.drawing import Point, trend
from operations.monitor.findings import Reports
from operations.monitor.found import Found
from operations.words import count

LEGEND = (
    '<div class="legend"><div><i style="background:var(--sand)"></i>baseline: the {baseline}</div>'
    '<div><i style="background:var(--sea)"></i>now: what this run saw</div></div>'
)


def section(title: str, words: str, content: str) -> str:
    """Return a part of the page; ``words`` and ``content`` are HTML."""
    return f"<section><h2>{escape(title)}</h2><p>{words}</p>{content}</section>"


def chip(text: str) -> str:
    """Return a mark for what is wrong."""
    return f'<span class="chip bad">{escape(text)}</span>'


def run_by_run(found: Found, values: Callable[[Reports], dict[str, float]], limit: float | None, words: str) -> str:
    """Return the trend over the newest runs; nothing where there is only one. ``values`` are a run's, by line."""
    points = []
    for run, reports in found.before:
        if reports is None:
            said = f"{run.status}: {run.why if run.analysed else run.reason}".rstrip(": ")
            points.append(Point(run.moment, {}, said, violated=False, current=False))
            continue
        bad = len(reports.violations)
        said = f"{run.moment:%d %b %H:%M}, {count(reports.rows, 'row')}, {count(bad, 'violation')}"
        points.append(Point(run.moment, values(reports), said, violated=bad > 0, current=run.job == found.run.job))
    if len(points) < 2:
        return ""
    idle = sum(1 for point in points if not point.values)
    note = f" {count(idle, 'run')} (&times;) judged nothing, mostly for want of requests or labels." if idle else ""
    drawn = trend(points, limit, found.run.monitor.word)
    return section("Run by run", f"{words}{note}", f'<div class="card">{drawn}</div>')
