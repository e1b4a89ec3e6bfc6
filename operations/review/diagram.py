"""A picture of the changed parts: a lane for each stack, causes to the left of what they bring about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from operations.review.change import Change, Key
from operations.review.review import Review
from operations.review.telling import DONE, told

MOST = 36
"""Parts in a picture: more cannot be read. The riskiest are drawn."""

_WIDTH, _HEIGHT = 214, 46
_ACROSS, _DOWN = 268, 58
_LEFT, _TITLE = 18, 30


@dataclass(frozen=True)
class _Box:
    """A changed part and where it is drawn."""

    change: Change
    x: float
    y: float
    blocked: bool


def diagram(review: Review) -> str:
    """Return the picture as SVG; empty where nothing is told one by one."""
    blocked = {(one.stack, one.path) for one in review.gate.blocked}
    chosen = sorted(told(review), key=lambda one: ((one.stack, one.path) not in blocked, not one.causes))[:MOST]
    if not chosen:
        return ""
    boxes, lanes, height = _placed(chosen, blocked)
    width = max(box.x for box in boxes.values()) + _WIDTH + 2 * _LEFT
    parts = [
        f'<svg class="parts" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="The changed parts">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ]
    for stack, (top, bottom) in lanes.items():
        parts.append(
            f'<rect class="lane" x="2" y="{top:.0f}" width="{width - 4:.0f}" height="{bottom - top:.0f}" rx="12"/>'
        )
        parts.append(f'<text class="dim" x="{_LEFT}" y="{top + 19:.0f}">{escape(stack)}</text>')
    parts += [_edge(boxes[cause], box) for box in boxes.values() for cause in box.change.causes if cause in boxes]
    parts += [_drawn(box) for box in boxes.values()]
    left = len(told(review)) - len(chosen)
    more = f'<p class="more">and {left} more, in the list below</p>' if left > 0 else ""
    return "".join(parts) + "</svg>" + more


def _placed(
    chosen: Sequence[Change], blocked: set[tuple[str, str]]
) -> tuple[dict[Key, _Box], dict[str, tuple[float, float]], float]:
    known = {one.key: one for one in chosen}
    columns = _columns(known)
    boxes: dict[Key, _Box] = {}
    lanes: dict[str, tuple[float, float]] = {}
    top = 2.0
    for stack in sorted({one.stack for one in chosen}):
        rows: dict[int, int] = defaultdict(int)
        inside = [one for one in chosen if one.stack == stack]
        spread = not any(columns[one.key] for one in inside)  # nothing brings anything about: side by side then
        for index, one in enumerate(inside):
            column = index % 3 if spread else columns[one.key]
            y = top + _TITLE + rows[column] * _DOWN
            rows[column] += 1
            boxes[one.key] = _Box(one, _LEFT + column * _ACROSS, y, (one.stack, one.path) in blocked)
        bottom = top + _TITLE + max(rows.values()) * _DOWN
        lanes[stack] = (top, bottom)
        top = bottom + 12
    return boxes, lanes, top - 10


def _columns(known: Mapping[Key, Change]) -> dict[Key, int]:
    """Return for each part how many others, one after the other, bring it about; circles end where they began."""
    found: dict[Key, int] = {}

    def column(key: Key, above: frozenset[Key]) -> int:
        if key not in found:
            causes = [one for one in known[key].causes if one in known and one not in above and one != key]
            found[key] = min(1 + max((column(one, above | {key}) for one in causes), default=-1), 5)
        return found[key]

    for key in known:
        column(key, frozenset())
    return found


def _edge(start: _Box, end: _Box) -> str:
    x1, y1, x2, y2 = start.x + _WIDTH, start.y + _HEIGHT / 2, end.x, end.y + _HEIGHT / 2
    if x2 <= x1:  # the same column, or a circle: around the right side
        x2 = end.x + _WIDTH
        bend = max(x1, x2) + 26
        return f'<path class="edge" d="M{x1} {y1} C{bend} {y1} {bend} {y2} {x2 + 2} {y2}" marker-end="url(#tip)"/>'
    middle = (x1 + x2) / 2
    return f'<path class="edge" d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2 - 2} {y2}" marker-end="url(#tip)"/>'


def _drawn(box: _Box) -> str:
    change = box.change
    below = f"{DONE[change.act]} · {change.type.rpartition('::')[2]}"
    below = below if len(below) <= 31 else below[:30] + "…"
    return (
        f'<g class="box a-{change.act}{" blocked" if box.blocked else ""}">'
        f"<title>{escape(change.path)}: {escape(change.type)}, {DONE[change.act]}</title>"
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<rect class="edgebar" x="{box.x:.0f}" y="{box.y:.0f}" width="6" height="{_HEIGHT}" rx="3"/>'
        f'<text x="{box.x + 15:.0f}" y="{box.y + 19:.0f}">{escape(_cut(change.path, 27))}</text>'
        f'<text class="dim" x="{box.x + 15:.0f}" y="{box.y + 36:.0f}">{escape(below)}</text>'
        "</g>"
    )


def _cut(text: str, most: int) -> str:
    """Return the end of a path that is too long: it says most."""
    return text if len(text) <= most else "…" + text[-(most - 1) :]
