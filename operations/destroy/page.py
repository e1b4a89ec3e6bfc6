"""The page about a destroy: one HTML file that needs nothing else, for the screen, by day and night, and for paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from operations.audit import Inventory
from operations.audit.inventory import COLLECTORS
from operations.destroy.deeds import By, Deed, deeds
from operations.destroy.run import Run
from operations.destroy.timeline import timeline
from operations.project import stack_prefix
from operations.webpage import filled
from operations.words import count, duration, usd

STYLE = Path(__file__).with_name("page.css")

WHO: dict[By, str] = {
    "stack": "by CloudFormation, with its stack",
    "janitor": "by the janitors in the stacks, and by AWS with what they removed",
    "sweep": "by the sweep, after the stacks",
    "left": "still there",
}

_CENT = 0.005
"""US dollars a month from which a thing gets a line of its own."""


def write_page(run: Run, folder: Path, now: datetime) -> Path:
    """Write ``destroy-<environment>.html`` and return its path; ``now`` is the time at the target."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"destroy-{run.environment}.html"
    path.write_text(page(run, now), encoding="utf-8")
    return path


def page(run: Run, now: datetime) -> str:
    """Return the page; whatever comes from outside is escaped."""
    before, after = run.before, run.audit
    assert before is not None  # noqa: S101  # a page is written about something that was there
    assert after is not None  # noqa: S101  # and after it was asked whether it still is
    all_deeds = deeds(before, after, run.swept, run.parts, now)
    name = escape(run.environment)
    left = len(after.findings)
    if after.clean:
        verdict, mood = f"<b>{name} is gone.</b> Nothing is left of it.", "good"
        subtitle = (
            f"{len(COLLECTORS)} inventories of AWS services were taken at the end, and every one of them was empty: "
            "0 resources, 0 billable, 0.00 USD a month."
        )
    else:
        unasked = f", and {count(len(after.unanswered), 'service')} did not answer" if after.unanswered else ""
        verdict, mood = f"{name}: <b>{count(left, 'resource')} left</b>{unasked}.", "bad"
        subtitle = f"What is left costs {usd(after.monthly_usd)} a month, as far as prices are known."
    sections = [_existed(before, all_deeds), _left(after, run), _how(run), _who(all_deeds), _proof(after)]
    moment = f"{run.started:%Y-%m-%d %H:%M} UTC"
    where = (
        "localcloud, the embedded AWS: its minutes are modelled"
        if run.target.name == "local"
        else f"AWS account {run.target.account}"
    )
    return filled(
        STYLE,
        title=f"{name}: destroyed {moment}",
        kicker="sandcastle destroy",
        mood=mood,
        verdict=verdict,
        subtitle=subtitle,
        tiles=_tiles(run, before, all_deeds),
        sections="\n".join(section for section in sections if section),
        footer=f"{escape(where)}, region {escape(run.target.region)}. Started {moment}. "
        f"{count(run.target.traffic.calls, 'call')} to AWS, {count(run.target.traffic.retries, 'repetition')}. "
        "Costs are the price table's, at the size that was found; what has cost something so far is reckoned from when "
        "it was made.",
    )


def _tiles(run: Run, before: Inventory, all_deeds: Sequence[Deed]) -> str:
    removed = sum(1 for deed in all_deeds if deed.by != "left")
    so_far = sum(deed.cost_so_far or 0.0 for deed in all_deeds)
    tiles = [
        (duration(run.seconds), "from the first question to the last"),
        (str(removed), "things removed, " + count(len(run.history), "stack") + " among them"),
        (_big(before.monthly_usd), "USD a month would have gone on being billed"),
        (_big(so_far), "USD, about what it has cost so far"),
        (str(run.attempts), "attempt" + ("" if run.attempts == 1 else "s") + " at the stacks"),
    ]
    return "\n".join(f'<div class="tile"><b>{value}</b><span>{words}</span></div>' for value, words in tiles)


def _big(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 1000 else f"{amount:,.0f}"


def _existed(before: Inventory, all_deeds: Sequence[Deed]) -> str:
    """What there was: what costs something line by line, dearest first; the rest by kind."""
    so_far = {(deed.finding.kind, deed.finding.name): deed.cost_so_far for deed in all_deeds}
    dear = [one for one in before.billable if one.monthly_usd is None or one.monthly_usd >= _CENT]
    dear.sort(key=lambda one: -(one.monthly_usd if one.monthly_usd is not None else 1e9))
    most = max((one.monthly_usd or 0.0 for one in dear), default=0.0) or 1.0
    rows = []
    for one in dear:
        cost = so_far.get((one.kind, one.name))
        bar = f'<div class="meter" style="width:{100 * (one.monthly_usd or 0.0) / most:.1f}%"></div>'
        rows.append(
            f'<tr><td><span class="name">{escape(one.kind)} <b>{escape(one.name)}</b></span>'
            f"<small>{escape(', '.join(text for text in (one.state, one.price) if text))}</small></td>"
            f'<td class="bar">{bar if one.monthly_usd else ""}</td>'
            f'<td class="n">{"no price" if one.monthly_usd is None else usd(one.monthly_usd)}</td>'
            f'<td class="n">{"" if cost is None else usd(cost)}</td></tr>'
        )
    rest = Counter(one.kind for one in before.findings if one not in dear)
    chips = "".join(f'<span class="chip"><b>{number}</b> {escape(kind)}</span>' for kind, number in rest.most_common())
    table = (
        '<table><thead><tr><th>what cost money</th><th class="bar"></th><th class="n">a month</th>'
        f'<th class="n">so far</th></tr></thead><tbody>{"".join(rows)}</tbody>'
        f'<tfoot><tr><td>in all</td><td class="bar"></td><td class="n">{usd(before.monthly_usd)}</td>'
        f'<td class="n">{usd(sum(cost or 0.0 for cost in so_far.values()))}</td></tr></tfoot></table>'
        if rows
        else ""
    )
    words = "Free to keep, or less than a cent a month:" if rows else "All of it free to keep:"
    free = f'<table><tr><th>{words}</th></tr></table><div class="chips">{chips}</div>' if chips else ""
    return _section("What there was", f"{count(len(before.findings), 'thing')} before the destroy began.", table + free)


def _left(after: Inventory, run: Run) -> str:
    """What is left, with its cost, why it would not go, and the command that removes it."""
    if after.clean:
        return ""
    reasons = {(one.finding.kind, one.finding.name): one.refused for one in run.refused}
    rows = [
        f'<tr><td><span class="name">{escape(one.kind)} <b>{escape(one.name)}</b></span>'
        f"<small>{escape(reasons.get((one.kind, one.name), one.state))}</small><code>{escape(one.remove)}</code></td>"
        f'<td class="n">{"no price" if one.monthly_usd is None else usd(one.monthly_usd)}</td></tr>'
        for one in sorted(after.findings, key=lambda one: (not one.billable, -(one.monthly_usd or 0.0)))
    ]
    rows += [
        f'<tr><td><span class="name"><b>{escape(service)}</b> did not answer</span><small>{escape(why)}</small></td>'
        '<td class="n">not known</td></tr>'
        for service, why in after.unanswered.items()
    ]
    head = '<thead><tr><th>what, and how to remove it by hand</th><th class="n">a month</th></tr></thead>'
    table = f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"
    return _section("What is left", "It stays, and is billed where it costs something, until it is removed.", table)


def _how(run: Run) -> str:
    """How it went, in time; with what was stopped first and what failed on the way."""
    chart = timeline(run.history, run.swept, stack_prefix(run.environment))
    notes = [escape(said) for said in run.quiesced]
    notes += [f"{escape(one.stack.name)}: {escape(text)}" for one in run.history for text in one.failures]
    listed = f'<ul class="plain">{"".join(f"<li>{note}</li>" for note in notes)}</ul>' if notes else ""
    if not chart and not listed:
        return ""
    words = "Stacks from their first to their last event; what their janitors did in between."
    return _section("How it went", words, chart + listed)


def _who(all_deeds: Sequence[Deed]) -> str:
    """Who removed how much, and by name what no stack knew."""
    counts = Counter(deed.by for deed in all_deeds)
    total = sum(counts.values()) or 1
    bar = "".join(f'<i class="{by}" style="width:{100 * counts[by] / total:.2f}%"></i>' for by in WHO if counts[by])
    legend = "".join(
        f'<div><i class="{by}"></i><b>{counts[by]}</b> <span>{words}</span></div>'
        for by, words in WHO.items()
        if counts[by]
    )
    unknown = [deed for deed in all_deeds if deed.by in ("janitor", "sweep")]
    rows = "".join(
        f'<tr><td class="by">{escape(kind)}</td><td><span class="name">{names}</span></td><td class="by">{by}</td></tr>'
        for kind, by, names in _grouped(unknown)
    )
    head = '<tr><th class="by">what no stack knew</th><th></th><th class="by">removed by</th></tr>'
    table = f"<table><thead>{head}</thead>{rows}</table>"
    content = f'<div class="split">{bar}</div><div class="legend">{legend}</div>{table if rows else ""}'
    return _section(
        "Who removed it", "CloudFormation deletes what is in its templates; the rest needs somebody else.", content
    )


def _grouped(found: Iterable[Deed], most: int = 4) -> list[tuple[str, str, str]]:
    """Return kind, who, and names, of which only some are shown, as HTML."""
    names: dict[tuple[str, str], list[str]] = {}
    for deed in found:
        names.setdefault((deed.finding.kind, deed.by), []).append(deed.finding.name)
    return [
        (
            kind,
            by,
            "<br>".join(escape(name) for name in sorted(some)[:most])
            + (f"<small>and {len(some) - most} more</small>" if len(some) > most else ""),
        )
        for (kind, by), some in sorted(names.items())
    ]


def _proof(after: Inventory) -> str:
    """Every question that was asked at the end, with its answer."""
    found = after.counts
    lines = []
    for question in COLLECTORS:
        if question in after.unanswered:
            lines.append(f'<div class="no"><i>?</i>{escape(question)}<b>no answer</b></div>')
        elif found.get(question):
            lines.append(f'<div class="no"><i>&#10007;</i>{escape(question)}<b>{found[question]}</b></div>')
        else:
            lines.append(f"<div><i>&#10003;</i>{escape(question)}<b>0</b></div>")
    words = "Asked of the services themselves when all was done, and what each answered."
    return _section("The proof", words, f'<div class="proof">{"".join(lines)}</div>')


def _section(title: str, words: str, content: str) -> str:
    return f'<section><h2>{title}</h2><p>{words}</p><div class="card">{content}</div></section>'
