"""What a page says about a model: how right it is beside its baseline, what it confuses, run by run."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from operations.monitor.findings import Reports, percent
from operations.monitor.found import Found
from operations.monitor.html import run_by_run, section
from operations.monitor.marks import Mark, confusion, leading, marks
from operations.words import count

_CLASSES = 12
"""Classes of a confusion matrix that fits on the page."""


def verdict(found: Found) -> tuple[str, str]:
    """Return the page's first two lines as HTML."""
    every = found.marks
    name, lead = escape(found.watched.workload), leading(every)
    judged = f"{count(found.reports.rows, 'answer')} with a label"
    if lead and lead.value is not None:
        judged += f": {escape(lead.name)} is {lead.value:.3f}"
        judged += f", and was {lead.before:.3f} in the baseline" if lead.before is not None else ""
    judged += "."
    if not found.reports.violations:
        return f"{name}: answers are <b>as right as they were</b>.", judged
    return f"{name}: answers are <b>less right than they were</b>.", judged


def tiles(found: Found) -> list[tuple[str, str]]:
    """Return the numbers at the top."""
    every = found.marks
    lead = leading(every)
    right = [(f"{lead.value:.3f}", f"{lead.name} now")] if lead and lead.value is not None else []
    if lead and lead.before is not None:
        right.append((f"{lead.before:.3f}", f"{lead.name} of the baseline"))
    bad = sum(1 for one in every if one.violated)
    return [
        *right,
        (f"{found.reports.rows:,}", "answers had a label and were judged"),
        (f"{bad} of {len(every)}", "metrics are worse than the baseline allows"),
    ]


def sections(found: Found) -> list[str]:
    """Return the parts of the page."""
    every = found.marks
    return [_strangers(found), _marks(every), _matrices(found), _trend(found, every)]


def _strangers(found: Found) -> str:
    """Say so where labels are not in the words of the answers: then nothing is right, whatever the model says."""
    cells = confusion(found.reports.statistics)
    true = {name for name, answers in cells.items() if sum(answers.values())}
    said = {name for answers in cells.values() for name, number in answers.items() if number}
    if not cells or true & said:
        return ""
    words = (
        f"Labels are {_some(true)}; the model answers {_some(said)}. They have not a word in common, so that no answer "
        "can be right. Write labels in the words in which the model answers."
    )
    return section("Labels and answers do not meet", words, "")


def _some(names: set[str], most: int = 4) -> str:
    return ", ".join(f"<code>{escape(name)}</code>" for name in sorted(names)[:most])


def _marks(every: list[Mark]) -> str:
    rows = "".join(
        f'<tr class="{"bad" if one.violated else ""}"><td><b>{escape(one.name)}</b>'
        f"<small>{escape(one.meaning)}</small></td>"
        f'<td class="n">{_value(one.value)}{_spread(one.spread)}</td><td class="n">{_value(one.before)}</td>'
        f'<td class="n">{_limit(one)}</td></tr>'
        for one in every
    )
    head = (
        '<thead><tr><th>metric</th><th class="n">now</th><th class="n">baseline</th>'
        '<th class="n">allowed</th></tr></thead>'
    )
    table = f'<div class="card"><table>{head}<tbody>{rows}</tbody></table></div>'
    said = "Now, in the baseline (what the model reached on its test rows), and what is allowed; violations are red."
    if any(one.violated and one.limit == 1 and not one.at_most for one in every):
        said += " The model made no mistake in its baseline: a single wrong answer is a violation then."
    return section("Metric by metric", said, table)


def _matrices(found: Found) -> str:
    now, before = confusion(found.reports.statistics), confusion(found.reports.baseline)
    if not now or len(now) > _CLASSES:
        return ""
    # a class that goes by its number and by its name is two classes: nobody may hide that
    labels = {} if {*now, *before} & set(found.labels.values()) else found.labels
    parts = [_matrix("baseline", before, labels)] if before else []
    parts.append(_matrix("now", now, labels))
    words = "Rows are what was true, columns what was answered; on the diagonal the answers that were right."
    return section("What is taken for what", words, f'<div class="card beside">{"".join(parts)}</div>')


def _matrix(title: str, cells: Mapping[str, Mapping[str, int]], labels: Mapping[str, str]) -> str:
    names = list(cells)
    head = "".join(f'<th style="text-align:center">{escape(labels.get(name, name))}</th>' for name in names)
    rows = ""
    for true in names:
        total = sum(cells[true].values())
        drawn = "".join(_cell(cells[true].get(name, 0), total, name == true) for name in names)
        rows += f"<tr><td>{escape(labels.get(true, true))}</td>{drawn}</tr>"
    return f"<div><h3>{title}</h3><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cell(number: int, total: int, right: bool) -> str:
    share = f"<small>{percent(number / total)}</small>" if number and total else ""
    return f'<td class="cell{" right" if right else ""}">{f"{number:,}" if number else "&middot;"}{share}</td>'


def _trend(found: Found, every: list[Mark]) -> str:
    lead = leading(every)
    if lead is None:
        return ""

    def values(reports: Reports) -> dict[str, float]:
        return {one.name: one.value for one in marks(reports) if one.name == lead.name and one.value is not None}

    return run_by_run(found, values, lead.limit, f"The {escape(lead.name)} of the newest runs.")


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _spread(spread: float | None) -> str:
    return "" if spread is None else f" ± {spread:.3f}"


def _limit(one: Mark) -> str:
    return "" if one.limit is None else f"{'≤' if one.at_most else '≥'} {one.limit:.3f}"
