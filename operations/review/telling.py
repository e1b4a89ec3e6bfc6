"""What the comment, the page and the command say alike: titles, counts, one change on one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from operations.review.change import FOLDED, Act, Change
from operations.review.review import Review
from operations.review.values import short
from operations.words import count, usd

MARKS: Mapping[str, str] = {"blocked": "🔴", "look": "🟡", "clean": "🟢"}

SIGNS: Mapping[Act, str] = {
    Act.DELETE: "🗑️",
    Act.REPLACE: "♻️",
    Act.MAYBE: "❓",
    Act.MOVED: "🚚",
    Act.UPDATE: "🔁",
    Act.CREATE: "🆕",
}
"""Kinds of changes that are told one by one, the riskiest first."""

DONE: Mapping[Act, str] = {
    Act.DELETE: "deleted",
    Act.REPLACE: "replaced",
    Act.MAYBE: "perhaps replaced",
    Act.MOVED: "moved",
    Act.UPDATE: "updated",
    Act.CREATE: "created",
    Act.CODE: "code only",
    Act.TAGS: "tag-only",
    Act.NONE: "in the template only",
}

LIMITS = (
    "Compares code with code: what is deployed may differ (no drift), and values that only a deployment knows, quotas, "
    "organisation policies and the text of AWS's own managed policies are not known."
)
"""What no review from templates can say; said every time."""

_CENT = 0.005
"""US dollars below which nothing is said."""

_MOST = 4
"""Properties of a change that are told on its line."""


def headline(review: Review) -> str:
    """Return the verdict in one line, without its mark."""
    parts = []
    if review.gate.blocked:
        parts.append(count(len(review.gate.blocked), "blocker"))
    elif not review.changes and not review.gate.noted:
        parts.append("no change")
    else:
        parts.append("nothing blocks" if review.gate.noted or review.gate.approved else "clean")
    fates = Counter(one.fate.kind for one in review.changes.values() if one.fate and not one.fate.minor)
    if fates["lost"] or fates["unknown"]:
        parts.append("data lost" if fates["lost"] else "data perhaps lost")
    elif fates["orphaned"]:
        parts.append("data orphaned")
    elif review.changes:
        parts.append("no data lost")
    if abs(review.cost.delta) >= _CENT:
        parts.insert(1, f"about {_signed(review.cost.delta)} USD a month")
    return " · ".join(parts)


def cost_lines(review: Review) -> list[str]:
    """Return what the change does to the bill: sums first, then line by line, what has no price last."""
    change = review.cost
    if not change.lines:
        return []
    region = change.head.region or "no region, or several"
    found = [
        f"at rest: {usd(change.monthly_before)} → {usd(change.monthly_after)} a month "
        f"({region}, prices of {change.head.table_date})"
    ]
    if abs(change.use_delta) >= _CENT:
        found.append(f"by use and storage, under the assumptions below: {_signed(change.use_delta)} USD a month")
    found += [one.words for one in change.lines]
    return found + [f"no price: {one}" for one in change.unpriced]


def access_lines(review: Review) -> list[str]:
    """Return what changes in who can do what, in words; what goes wider first."""
    order = ("widened", "unclear", "narrowed", "moved")
    found = sorted(review.access, key=lambda one: (order.index(one.direction), one.stack, one.path))
    return [f"{one.direction}: {one.words}" for one in found]


def _signed(amount: float) -> str:
    return f"{amount:+,.2f}"


def counts(review: Review) -> str:
    """Return how many resources change how: ``1 replaced, 2 updated, 13 tag-only``."""
    found = Counter(one.act for one in review.changes.values())
    return ", ".join(f"{found[act]} {words}" for act, words in DONE.items() if found[act]) or "nothing changes"


def told(review: Review) -> list[Change]:
    """Return the changes that are told one by one, the riskiest first."""
    order = list(SIGNS)
    return sorted(
        (one for one in review.changes.values() if one.act not in FOLDED),
        key=lambda one: (order.index(one.act), one.stack, one.path),
    )


def line(change: Change) -> str:
    """Return what happens to the resource and why, in words."""
    parts = [DONE[change.act]]
    if change.moved_from:
        parts[0] = f"made anew here, deleted as {'/'.join(change.moved_from)}"
    if change.properties:
        parts[0] += ": " + "; ".join(
            f"{one.path}: {short(one.before)} → {short(one.after)}" for one in change.properties[:_MOST]
        )
        more = len(change.properties) - _MOST
        parts[0] += (
            f"; {count(more, 'further property') if more == 1 else f'{more} further properties'}" if more > 0 else ""
        )
    if change.because:
        parts.append("because " + "; ".join(change.because[:3]) + (" …" if len(change.because) > 3 else ""))
    if change.forced_by and change.act is Act.REPLACE:
        parts.append(f"{', '.join(change.forced_by)} can only be set at creation")
    parts += list(change.notes)
    if change.downtime:
        parts.append(change.downtime)
    if change.fate:
        parts.append(change.fate.words)
    return ". ".join(parts)


def notes(review: Review) -> list[str]:
    """Return what folded changes must say all the same: where sources disagree about them."""
    return [
        f"{one.stack}/{one.path}: {note}" for one in review.changes.values() if one.act in FOLDED for note in one.notes
    ]
