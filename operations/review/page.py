"""The page about a review: one HTML file that needs nothing else, with a picture of the changed parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from operations.review.change import FOLDED, Act, Change, Concern
from operations.review.diagram import diagram
from operations.review.gate import FILE, RULES
from operations.review.review import Review
from operations.review.telling import DONE, LIMITS, access_lines, cost_lines, counts, line, notes, told
from operations.review.values import short
from operations.webpage import filled
from operations.words import count

STYLE = Path(__file__).with_name("page.css")

_MOST_DETAILS = 400
"""Resources whose properties are told one by one: a page of more is not read, and browsers get slow."""


def page(review: Review) -> str:
    """Return the page; whatever comes from templates is escaped."""
    gate = review.gate
    base, head = (escape(name) for name in review.names)
    mood = {"blocked": "bad", "look": "fair", "clean": "good"}[gate.verdict]
    verdict = {
        "blocked": f"<b>{count(len(gate.blocked), 'blocker')}.</b> Somebody must approve, or the change must change.",
        "look": "<b>Nothing blocks.</b> Something is to be known.",
        "clean": "<b>Nothing blocks.</b>" if review.changes else "<b>Nothing changes.</b>",
    }[gate.verdict]
    sections = [
        _concerns("Blocks merge", f"Until it is approved in {FILE} on the base branch.", gate.blocked),
        _approved(review),
        _concerns("To know", "Blocks nothing.", gate.noted),
        _picture(review),
        _changes(review),
        _listed("Runs again", "Jobs that the deployment starts, and why.", _reruns(review)),
        _listed("Access", "Who can do what, proved on the templates.", [escape(one) for one in access_lines(review)]),
        _listed("Cost", "What the bill does, by the price table.", [escape(one) for one in cost_lines(review)]),
        _listed("Network", "Who reaches whom, and by which way.", _network(review)),
        _listed("Findings", _read(review), _findings(review)),
        _listed("Teardown", "What a destroy does differently afterwards.", _teardown(review)),
        _listed("Sources disagree", "About what CloudFormation does.", [escape(one) for one in notes(review)]),
        _details(review),
    ]
    return filled(
        STYLE,
        title=f"Review: {base} → {head}",
        kicker="sandcastle review",
        mood=mood,
        verdict=verdict,
        subtitle=f"From <b>{base}</b> to <b>{head}</b>: {counts(review)}.",
        tiles=_tiles(review),
        sections="\n".join(one for one in sections if one),
        footer=escape(LIMITS),
    )


def _tiles(review: Review) -> str:
    found = Counter(one.act for one in review.changes.values())
    fates = Counter(one.fate.kind for one in review.changes.values() if one.fate and not one.fate.minor)
    data = "lost" if fates["lost"] or fates["unknown"] else "orphaned" if fates["orphaned"] else "kept"
    tiles = [
        (str(len(review.gate.blocked)), "blocker" if len(review.gate.blocked) == 1 else "blockers"),
        (
            str(found[Act.REPLACE] + found[Act.MAYBE] + found[Act.MOVED]),
            "replaced, perhaps replaced or made anew elsewhere",
        ),
        (str(found[Act.DELETE]), "deleted"),
        (str(found[Act.UPDATE]), "updated in place"),
        (str(found[Act.CREATE]), "created"),
        (data, "what becomes of data"),
        (f"{review.cost.delta:+,.2f}", "USD a month at rest"),
        (str(sum(found[act] for act in FOLDED)), "tags, code or the template only"),
    ]
    return "\n".join(f'<div class="tile"><b>{value}</b><span>{words}</span></div>' for value, words in tiles)


def _concerns(title: str, words: str, concerns: Sequence[Concern]) -> str:
    rows = [
        f'<tr><td class="by"><b>{escape(RULES[one.rule])}</b><small>{escape(one.rule)}</small></td>'
        f'<td><span class="name"><code>{escape(one.place)}</code></span>{_at(one.source)}'
        f"<div>{escape(one.words)}</div></td></tr>"
        for one in concerns
    ]
    return _section(title, words, f"<table>{''.join(rows)}</table>") if rows else ""


def _approved(review: Review) -> str:
    rows = [
        f'<tr><td class="by"><b>{escape(one.rule)}</b></td><td><code>{escape(one.place)}</code>'
        f"<div>{escape(one.words)}</div><small>{escape(given.reason)}; until {given.expires}</small></td></tr>"
        for one, given in review.gate.approved
    ]
    words = f"Would block, and is in {FILE} of the base branch."
    return _section("Approved", words, f"<table>{''.join(rows)}</table>") if rows else ""


def _picture(review: Review) -> str:
    drawn = diagram(review)
    words = "Arrows lead from what changes to what changes because of it; a red frame blocks."
    return _section("The changed parts", words, f'<div class="wide">{drawn}</div>') if drawn else ""


def _changes(review: Review) -> str:
    rows = [
        f'<tr><td class="by"><span class="act a-{one.act}">{DONE[one.act]}</span></td>'
        f'<td><span class="name"><code>{escape(one.stack)}/{escape(one.path)}</code></span>{_at(one.source)}'
        f"<small>{escape(one.type)}</small><div>{escape(line(one))}</div></td></tr>"
        for one in told(review)[:_MOST_DETAILS]
    ]
    left = len(told(review)) - len(rows)
    more = f"<p>and {left} more, in review.json</p>" if left > 0 else ""
    words = "The riskiest first. Tags, code and what is in the template only are counted, not listed."
    return _section("Will happen on deploy", words, f"<table>{''.join(rows)}</table>{more}") if rows else ""


def _reruns(review: Review) -> Iterable[str]:
    for one in review.reruns:
        why = "".join(f"<small>{escape(reason)}</small>" for reason in one.why)
        yield f"<code>{escape(one.stack)}/{escape(one.path)}</code> {escape(one.words)}{why}"


def _network(review: Review) -> Iterable[str]:
    for one in review.network:
        yield f"<code>{escape(one.stack)}/{escape(one.path)}</code> {escape(one.words)}"


def _read(review: Review) -> str:
    found = review.findings
    return f"New and fixed by rule and construct, from {', '.join(found.read)}." if found.read else ""


def _findings(review: Review) -> Iterable[str]:
    found = review.findings
    for how, some in (("new", found.new), ("fixed", found.fixed), ("acknowledged", found.acknowledged)):
        for one in some:
            more = f"<small>{escape(one.reason or one.fix)}</small>" if one.reason or one.fix else ""
            place = f"<code>{escape(one.place)}</code>"
            yield f"<b>{how}</b>, {escape(one.severity)}: {escape(one.rule)} {place} {escape(one.words)}{more}"


def _teardown(review: Review) -> Iterable[str]:
    yield from (f"also removes {escape(one)}" for one in review.teardown.also_removes)
    yield from (f"no longer removes {escape(one)}" for one in review.teardown.removes_no_more)


def _details(review: Review) -> str:
    """Every property that differs, folded resource by resource."""
    parts = [_detail(one) for one in list(review.changes.values())[:_MOST_DETAILS]]
    return _section("Full diff", "Every property, before and after.", "".join(parts)) if parts else ""


def _detail(change: Change) -> str:
    rows = "".join(
        f'<tr><td class="by">{escape(one.path)}</td><td class="old">{escape(short(one.before, 400))}</td>'
        f'<td class="new">{escape(short(one.after, 400))}</td></tr>'
        for one in change.properties
    )
    table = f"<table>{rows}</table>" if rows else f"<p>{escape(line(change))}</p>"
    return (
        f"<details><summary><code>{escape(change.stack)}/{escape(change.path)}</code> "
        f'<span class="act a-{change.act}">{DONE[change.act]}</span></summary>{table}</details>'
    )


def _listed(title: str, words: str, lines: Iterable[str]) -> str:
    rows = "".join(f"<li>{one}</li>" for one in lines)
    return _section(title, words, f'<ul class="plain">{rows}</ul>') if rows else ""


def _at(source: str) -> str:
    return f'<small class="source">{escape(source)}</small>' if source else ""


def _section(title: str, words: str, content: str) -> str:
    return f'<section><h2>{title}</h2><p>{words}</p><div class="card">{content}</div></section>'
