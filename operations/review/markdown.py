"""The comment on the pull request: Markdown, never longer than GitHub takes, the verdict and blockers never cut."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operations.review.change import Concern
from operations.review.gate import FILE, RULES
from operations.review.review import Review
from operations.review.telling import (
    LIMITS,
    MARKS,
    SIGNS,
    access_lines,
    cost_lines,
    counts,
    headline,
    line,
    notes,
    told,
)
from operations.review.values import short
from operations.words import count

MARKER = "<!-- sandcastle-review:v1 -->"
"""By this the comment is found again, to be updated in place; it never changes."""

LIMIT = 60_000
"""Characters. GitHub takes 65,536; some are left for who posts it."""

_ROOM_FOR_BLOCKERS = 45_000
_OPEN_ROWS = 12
"""Changed resources up to which the table is open; a longer one is unfolded by who wants it."""

_LONGEST = 700
"""Characters of one line, beyond which it is cut."""

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")


@dataclass(frozen=True)
class _Section:
    """A title and its lines; those that do not fit are left out, and it says how many."""

    title: str
    lines: Sequence[str]
    head: Sequence[str] = ()
    folded: bool = False


def comment(review: Review) -> str:
    """Return the comment. Text from templates can make no mentions, links or HTML in it."""
    top = "\n".join(_top(review))
    foot = f"\n<sub>{LIMITS} How to approve: an entry in `{FILE}` on the base branch.</sub>\n"
    room = LIMIT - len(top) - len(foot)
    parts = []
    for section in _sections(review):
        text = _fitted(section, room)
        parts.append(text)
        room -= len(text)
    return top + "".join(parts) + foot


def escaped(text: str) -> str:
    """Return text in which nothing is Markdown, HTML or a mention, on one line."""
    flat = " ".join(text.split())
    flat = flat if len(flat) <= _LONGEST else flat[:_LONGEST] + " …"
    flat = flat.replace("&", "&amp;").replace("#", "&#35;").replace("<", "&lt;").replace(">", "&gt;")
    flat = flat.replace("@", "&#64;").replace("http://", "http:&#47;/").replace("https://", "https:&#47;/")
    return _SPECIAL.sub(r"\\\1", flat)


def _top(review: Review) -> Iterator[str]:
    gate = review.gate
    yield MARKER
    yield f"## {MARKS[gate.verdict]} Infrastructure review: {headline(review)}"
    yield ""
    yield f"base `{_plain(review.names[0])}` → head `{_plain(review.names[1])}` · {counts(review)}"
    if gate.blocked:
        yield ""
        yield "### Blocks merge"
        yield from _blockers(gate.blocked)
    yield ""


def _blockers(blocked: Sequence[Concern]) -> list[str]:
    """Return every blocker; where there are too many, by rule with the places alone."""
    whole = [
        f"- **{RULES[one.rule]}** ({one.rule}): {_place(one)} {escaped(one.words)}{_at(one.source)}" for one in blocked
    ]
    if sum(map(len, whole)) < _ROOM_FOR_BLOCKERS:
        return whole
    places: dict[str, list[str]] = defaultdict(list)
    for one in blocked:
        places[one.rule].append(one.place)
    listed = []
    for rule, found in sorted(places.items()):
        names, room = [], _ROOM_FOR_BLOCKERS // len(places) - 200
        for name in found:
            room -= len(name) + 4
            if room > 0:
                names.append(f"`{_plain(name)}`")
        more = f" and {len(found) - len(names)} more in the page" if len(names) < len(found) else ""
        listed.append(f"- **{RULES[rule]}** ({rule}), {count(len(found), 'time')}: {', '.join(names)}{more}")
    return listed


def _sections(review: Review) -> Iterator[_Section]:
    gate = review.gate
    yield _Section(
        "Approved",
        [
            f"- {one.rule}: {_place(one)} {escaped(one.words)} — {escaped(given.reason)}, until {given.expires}"
            for one, given in gate.approved
        ],
    )
    yield _Section(
        "To know", [f"- {one.rule}: {_place(one)} {escaped(one.words)}{_at(one.source)}" for one in gate.noted]
    )
    yield _Section(
        "Runs again",
        [f"- `{one.stack}/{one.path}` {escaped(one.words)}. {escaped('; '.join(one.why))}" for one in review.reruns],
    )
    yield _Section("Access", [f"- {escaped(one)}" for one in access_lines(review)])
    yield _Section("Cost", [f"- {escaped(one)}" for one in cost_lines(review)])
    yield _Section(
        "Network", [f"- `{_plain(one.stack)}/{_plain(one.path)}` {escaped(one.words)}" for one in review.network]
    )
    yield _Section("Findings", list(_findings(review)))
    yield _Section("Teardown", list(_teardown(review)))
    yield _Section("Sources disagree", [f"- {escaped(one)}" for one in notes(review)])
    resources = told(review)
    yield _Section(
        "Will happen on deploy",
        [
            f"| {SIGNS[one.act]} | `{_plain(one.stack)}/{_plain(one.path)}`{_at(one.source)} | {escaped(line(one))} |"
            for one in resources
        ],
        ("| | Resource | Change |", "|---|---|---|"),
        folded=len(resources) > _OPEN_ROWS,
    )
    yield _Section(
        "Approvals that are over",
        [f"- {one.rule} `{_plain(one.path)}`: {escaped(one.reason)}, until {one.expires}" for one in gate.expired],
    )
    yield _Section("Full diff", list(_full(review)), folded=True)


def _findings(review: Review) -> Iterator[str]:
    found = review.findings
    for how, some in (("new", found.new), ("fixed", found.fixed), ("acknowledged", found.acknowledged)):
        for one in some:
            why = f" — {escaped(one.reason)}" if one.reason else (f" ({escaped(one.fix)})" if one.fix else "")
            yield f"- {how}, {one.severity}: {escaped(one.rule)} `{_plain(one.place)}` {escaped(one.words)}{why}"


def _teardown(review: Review) -> Iterator[str]:
    yield from (f"- `sandcastle destroy` also removes {escaped(one)}" for one in review.teardown.also_removes)
    yield from (f"- `sandcastle destroy` no longer removes {escaped(one)}" for one in review.teardown.removes_no_more)


def _full(review: Review) -> Iterator[str]:
    for one in review.changes.values():
        yield f"- `{_plain(one.stack)}/{_plain(one.path)}` {one.act} `{_plain(one.type)}`"
        for change in one.properties:
            yield f"  - {escaped(change.path)}: {escaped(_short(change.before))} → {escaped(_short(change.after))}"


def _short(value: object) -> str:
    return short(value, 200)


def _fitted(section: _Section, room: int) -> str:
    """Return the section with as many of its lines as there is room for."""
    if not section.lines:
        return ""
    opening = (
        f"\n<details><summary>{section.title}</summary>\n\n" if section.folded else f"\n### {section.title}\n\n"
    ) + "".join(f"{one}\n" for one in section.head)
    closing = "\n</details>\n" if section.folded else ""
    cut = "\n_{} more in the page._\n"
    whole = room
    room -= len(opening) + len(closing) + len(cut) + 10
    kept: list[str] = []
    for one in section.lines:
        room -= len(one) + 1
        if room < 0:
            break
        kept.append(f"{one}\n")
    left = len(section.lines) - len(kept)
    if not kept:
        alone = f"\n### {section.title}\n{cut.format(left)}"
        return alone if len(alone) <= whole else ""
    return opening + "".join(kept) + (cut.format(left) if left else "") + closing


def _place(one: Concern) -> str:
    return f"`{_plain(one.place)}`:"


def _plain(text: str) -> str:
    """Return text for a code span in a table."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|")


def _at(source: str) -> str:
    return f" ({_plain(source)})" if source else ""
