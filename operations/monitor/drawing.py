"""Distributions and trends as small SVGs, in the colours of the page: ``before`` the baseline's, ``now`` the run's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from operations.monitor.distributions import Bins, Categories
from operations.monitor.findings import number

_WIDTH, _HEIGHT = 290, 120
"""Of one distribution, in the drawing's units."""

_NAME = 12
"""Characters of a category's name that there is room for."""

_WIDE, _TALL, _LEFT, _RIGHT, _INSET = 920, 230, 52, 190, 26
"""Of a trend, the room at its sides for the axis and for names, and before the first and after the last run."""

Place = Callable[[int], float]
Height = Callable[[float], float]
"""Where a run is from left to right, and a value from top to bottom."""

_LINES = ("l1", "l2", "l3", "l4", "l5")
"""Looks of the lines of a trend: as many as one can tell apart."""


@dataclass(frozen=True)
class Point:
    """One run in a trend; ``values`` is empty where it judged nothing."""

    moment: datetime
    values: Mapping[str, float]
    words: str
    violated: bool
    current: bool


def distribution(found: Bins | Categories, name: str) -> str:
    """Return the two distributions of a column, one over the other for numbers, side by side for categories."""
    return _bins(found, name) if isinstance(found, Bins) else _categories(found, name)


def _bins(found: Bins, name: str) -> str:
    top = max(*found.before, *found.now) or 1.0
    base, room = _HEIGHT - 20, _HEIGHT - 26
    width = _WIDTH / len(found.before)

    def steps(shares: Sequence[float]) -> str:
        path = [f"M0 {base}"]
        for place, share in enumerate(shares):
            y = base - room * share / top
            path.append(f"L{place * width:.1f} {y:.1f} L{(place + 1) * width:.1f} {y:.1f}")
        return " ".join([*path, f"L{_WIDTH} {base} Z"])

    low, high = number(found.edges[0]), number(found.edges[-1])
    return (
        f'{_open(name, _HEIGHT)}<path class="before" d="{steps(found.before)}"/>'
        f'<path class="now" d="{steps(found.now)}"/>'
        f'<line x1="0" x2="{_WIDTH}" y1="{base}" y2="{base}"/>'
        f'<text x="0" y="{_HEIGHT - 5}">{low}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 5}" text-anchor="end">{high}</text></svg>'
    )


def _categories(found: Categories, name: str) -> str:
    top = max(*found.before, *found.now) or 1.0
    row, left, right = 27, 96, 70
    room = _WIDTH - left - right
    parts = []
    for place, label in enumerate(found.names):
        y = place * row + 4
        before, now = found.before[place], found.now[place]
        short = label if len(label) <= _NAME else f"{label[: _NAME - 1]}…"
        parts.append(f'<text x="0" y="{y + 15}">{escape(short or "(empty)")}<title>{escape(label)}</title></text>')
        for share, look, at in ((before, "before", y), (now, "now", y + 10)):
            width = max(room * share / top, 1.0 if share else 0.0)
            parts.append(f'<rect class="{look}" x="{left}" y="{at}" width="{width:.1f}" height="9" rx="2"/>')
        end = left + room * max(before, now) / top + 6
        parts.append(f'<text x="{end:.1f}" y="{y + 15}">{_short(before)} → {_short(now)}</text>')
    height = len(found.names) * row + 6
    if found.others:
        parts.append(f'<text x="0" y="{height + 12}">and {found.others} more</text>')
        height += 18
    return f"{_open(name, height)}{''.join(parts)}</svg>"


def trend(points: Sequence[Point], limit: float | None, what: str) -> str:
    """Return lines over runs, the oldest first, with the limit dashed; runs that judged nothing are crosses below."""
    names = list(dict.fromkeys(name for point in points for name in point.values))[: len(_LINES)]
    every = [value for point in points for value in point.values.values()] + ([limit] if limit is not None else [])
    low, high = _span(every)
    base = _TALL - 46
    room, wide = base - 16, _WIDE - _LEFT - _RIGHT

    def x(place: int) -> float:
        return _LEFT + _INSET + (wide - 2 * _INSET) * (place / (len(points) - 1) if len(points) > 1 else 0.5)

    def y(value: float) -> float:
        return base - room * (value - low) / (high - low)

    parts = [f'<svg class="trend" viewBox="0 0 {_WIDE} {_TALL}" role="img" aria-label="{escape(what)} run by run">']
    for value in (low, (low + high) / 2, high):
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="dim" x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    if limit is not None:
        parts.append(
            f'<line class="limit" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"/>'
            f'<text class="limit" x="{_LEFT + 4}" y="{y(limit) - 5:.1f}">limit {limit:.3g}</text>'
        )
    parts += [_line(points, name, look, x, y) for name, look in zip(names, _LINES, strict=False)]
    parts += _names(points, names, y)
    every_nth = max(1, -(-len(points) // 6))
    for place, point in enumerate(points):
        look = "current" if point.current else ""
        if not point.values:
            parts.append(
                f'<text class="dim" x="{x(place):.1f}" y="{base + 14}" text-anchor="middle">&times;'
                f"<title>{escape(point.words)}</title></text>"
            )
        if point.current or (len(points) - 1 - place) % every_nth == 0:
            parts.append(
                f'<text class="dim {look}" x="{x(place):.1f}" y="{base + 32}" text-anchor="middle">'
                f"{point.moment:%d %b %H:%M}</text>"
            )
    return "".join([*parts, "</svg>"])


def _line(points: Sequence[Point], name: str, look: str, x: Place, y: Height) -> str:
    path, dots, gap = [], [], True
    for place, point in enumerate(points):
        if name not in point.values:
            gap = True
            continue
        at = f"{x(place):.1f} {y(point.values[name]):.1f}"
        path.append(f"{'M' if gap else 'L'}{at}")
        gap = False
        size = 5 if point.current else 3
        words = f"{name} {point.values[name]:.3g}, {point.words}"
        dots.append(
            f'<circle cx="{x(place):.1f}" cy="{y(point.values[name]):.1f}" r="{size}">'
            f"<title>{escape(words)}</title></circle>"
        )
    return f'<g class="{look}"><path d="{" ".join(path)}"/>{"".join(dots)}</g>'


def _names(points: Sequence[Point], names: Sequence[str], y: Height) -> list[str]:
    """Name the lines at their right ends, none over another."""
    ends = []
    for name, look in zip(names, _LINES, strict=False):
        last = next(point.values[name] for point in reversed(points) if name in point.values)
        ends.append((y(last), name, look))
    ends.sort()
    heights: list[float] = []
    for height, _, _ in ends:
        heights.append(max(height + 4, heights[-1] + 15 if heights else 0.0))
    below = max(0.0, heights[-1] - _TALL + 46) if heights else 0.0  # none under the axis: there are the times
    parts = []
    for free, (_, name, look) in zip((height - below for height in heights), ends, strict=True):
        short = name if len(name) <= 24 else f"{name[:23]}…"
        parts.append(f'<text class="{look}" x="{_WIDE - _RIGHT + 12}" y="{free:.1f}">{escape(short)}</text>')
    return parts


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low >= 0 and high <= 1:
        return (0.0, max(high * 1.1, 0.2)) if high < 0.5 else (0.0 if low < 0.5 else 0.5, 1.0)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _open(name: str, height: int) -> str:
    return f'<svg class="dist" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(name)}, before and now">'


def _short(share: float) -> str:
    """Return a percentage for the end of a bar."""
    return "0" if not share else "<1" if share < 0.005 else f"{100 * share:.0f}"
