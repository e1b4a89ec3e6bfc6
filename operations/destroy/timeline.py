"""The timeline of a destroy as a drawing: a bar for each stack, its janitors' below it, and the sweep's at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from operations.destroy.history import StackHistory
from operations.sweep import Swept
from operations.words import count, duration

_WIDTH, _LABELS, _ROW = 920, 230, 24
"""Of the drawing, of the names at its left, and of one line: in its own units."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Distances between two marks of the axis, in seconds."""


@dataclass(frozen=True)
class _Bar:
    label: str
    begin: datetime
    end: datetime
    kind: str
    words: str


def timeline(history: Sequence[StackHistory], swept: Sequence[Swept], prefix: str) -> str:
    """Return an SVG, or nothing when there is nothing to show. ``prefix`` is what all stack names begin with."""
    bars = list(_bars(history, swept))
    if not bars:
        return ""
    zero, end = min(bar.begin for bar in bars), max(bar.end for bar in bars)
    span = max((end - zero).total_seconds(), 1.0)
    room = _WIDTH - _LABELS - 130

    def x(moment: datetime) -> float:
        return _LABELS + room * (moment - zero).total_seconds() / span

    height = _ROW * (len(bars) + 1) + 14
    lines = [f'<svg class="time" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="timeline of the destroy">']
    step = next((step for step in _STEPS if span / step <= 8), _STEPS[-1])
    for mark in range(0, int(span) + 1, step):
        at = x(zero + timedelta(seconds=mark))
        lines.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="20" y2="{height - 8}"/>')
        lines.append(f'<text class="dim" x="{at:.1f}" y="13" text-anchor="middle">{duration(mark)}</text>')
    for row, bar in enumerate(bars):
        top = 22 + row * _ROW
        sub = bar.kind == "janitor"
        thick, left = (9, 16) if sub else (14, 0)
        width = max(x(bar.end) - x(bar.begin), 2.0)
        look = "dim" if sub else ""
        lines.append(
            f'<text class="{look}" x="{left}" y="{top + 15}">{escape(_short(bar.label.removeprefix(prefix)))}</text>'
        )
        lines.append(
            f'<rect class="b-{bar.kind}" x="{x(bar.begin):.1f}" y="{top + (24 - thick) / 2:.1f}" width="{width:.1f}" '
            f'height="{thick}" rx="3"><title>{escape(bar.label)}: {escape(bar.words)}</title></rect>'
        )
        lines.append(f'<text class="dim" x="{x(bar.begin) + width + 6:.1f}" y="{top + 16}">{escape(bar.words)}</text>')
    return "".join([*lines, "</svg>"])


def _bars(history: Sequence[StackHistory], swept: Sequence[Swept]) -> Iterator[_Bar]:
    for one in history:
        whole = one.stack
        kind = "stack" if whole.outcome == "DELETE_COMPLETE" else "failed"
        words = f"{duration(whole.seconds)}, {count(one.deleted, 'resource')}" if kind == "stack" else whole.outcome
        yield _Bar(whole.name, whole.begin, whole.end, kind, words)
        for janitor in one.janitors:
            failed = janitor.outcome != "DELETE_COMPLETE"
            said = janitor.outcome if failed else duration(janitor.seconds)
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", janitor.name)
            yield _Bar(name, janitor.begin, janitor.end, "failed" if failed else "janitor", said)
    if swept:
        begin = min(one.begin for one in swept)
        end = max(one.begin + timedelta(seconds=one.seconds) for one in swept)
        gone = sum(1 for one in swept if not one.refused)
        yield _Bar("sweep", begin, end, "sweep", count(gone, "thing"))


def _short(label: str, most: int = 34) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
