"""What a page says about data: which columns are not as they were, all of them before and now, run by run."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from operations.monitor.distributions import Categories, chance, compare, distance
from operations.monitor.drawing import distribution
from operations.monitor.findings import (
    NAMES,
    Column,
    Reports,
    about_all,
    missing,
    number,
    percent,
    robust,
)
from operations.monitor.found import Found
from operations.monitor.html import LEGEND, chip, run_by_run, section
from operations.words import count

_PANELS = 24
"""Columns that get a picture; a photograph has hundreds."""

_MUCH = 0.1
"""From here on chance explains so much that one should know."""

_LINES = 5
"""Columns in the trend."""

_DISTANCE = (
    "A distance is how far apart two distributions are where they differ most, as a share of the rows: 0 is the same, "
    "1 nothing in common"
)


def verdict(found: Found) -> tuple[str, str]:
    """Return the page's first two lines as HTML."""
    every = found.columns
    bad = [one for one in every if one.violated]
    name = escape(found.watched.workload)
    rows = count(found.reports.rows, "row")
    if not found.reports.violations:
        return (
            f"{name}: requests are <b>as in training</b>.",
            f"{rows} were compared with the training data, column by column, and nothing is out of bounds.",
        )
    if not bad:
        return f"{name}: rows have <b>other columns</b> than in training.", f"{rows} were compared."
    if len(bad) == 1:
        first = f"{name}: <b>{escape(bad[0].name)}</b> is not as in training."
    else:
        first = f"{name}: <b>{len(bad)} of {count(len(every), 'column')}</b> are not as in training."
    return first, f"{rows} were compared with the training data, column by column."


def tiles(found: Found) -> list[tuple[str, str]]:
    """Return the numbers at the top."""
    every = found.columns
    far = max((one for one in every if one.distance is not None), key=lambda one: one.distance or 0.0, default=None)
    return [
        (f"{found.reports.rows:,}", "rows were looked at"),
        (f"{sum(1 for one in every if one.violated)} of {len(every)}", "columns are not as in training"),
        (str(len(found.reports.violations)), "violations of the baseline's constraints"),
        *(
            [(f"{far.distance:.2f}", f"is the largest distance from training: {far.name}")]
            if far and far.distance
            else []
        ),
    ]


def sections(found: Found) -> list[str]:
    """Return the parts of the page."""
    every = found.columns
    return [_violations(found, every), _panels(found, every), _trend(found, every)]


def _violations(found: Found, every: list[Column]) -> str:
    rows = [
        (one.name, NAMES.get(check, check), words)
        for one in every
        for check, words in zip(one.checks, one.words, strict=True)
    ]
    rows += [("all rows", NAMES.get(check, check), words) for check, words in about_all(found.reports)]
    if not rows:
        return ""
    body = "".join(
        f'<tr><td class="by"><b>{escape(name)}</b><br>{chip(check)}</td><td>{escape(words)}</td></tr>'
        for name, check, words in rows
    )
    head = "<thead><tr><th>column</th><th>what is different</th></tr></thead>"
    table = f'<div class="card"><table>{head}<tbody>{body}</tbody></table></div>'
    return section("What is not as it was", "Each line is a violation of what the training data gave as normal.", table)


def _panels(found: Found, every: list[Column]) -> str:
    answered = next((str(one["name"]) for one in found.reports.baseline.get("features", [])), "")
    drawn = [_panel(one, found.labels if one.name == answered else {}, one.name == answered) for one in every[:_PANELS]]
    rest = every[_PANELS:]
    more = ""
    if rest:
        rows = "".join(
            f'<tr><td><span class="name">{escape(one.name)}</span></td><td class="n">{_far(one)}</td></tr>'
            for one in rest
        )
        head = '<thead><tr><th>column</th><th class="n">distance</th></tr></thead>'
        more = (
            f"<details><summary>The other {len(rest)} columns, which are nearer to the training data</summary>"
            f'<div class="card"><table>{head}<tbody>{rows}</tbody></table></div></details>'
        )
    legend = LEGEND.format(baseline=f"{found.reports.baseline.get('dataset', {}).get('item_count', 0):,} training rows")
    words = f"How values are distributed, in training and now, the farthest first. {_DISTANCE}{_chance(found)}."
    return section("Column by column", words, f'{legend}<div class="panels">{"".join(drawn)}</div>{more}')


def _chance(found: Found) -> str:
    """How much of a distance counts as chance: with few rows, more than one thinks."""
    rows, training = found.reports.rows, found.reports.baseline.get("dataset", {}).get("item_count", 0)
    if not (rows and training and robust(found.reports.constraints)):
        return ""
    lost = chance(rows, training)
    words = f"; with {count(rows, 'row')} chance alone explains {lost:.2f}, which is taken off"
    return f"{words}, so that a small drift takes more rows to be seen" if lost > _MUCH else words


def _panel(one: Column, labels: Mapping[str, str], answered: bool) -> str:
    pictures = compare(one.before, one.now) if one.before and one.now else None
    if isinstance(pictures, Categories) and labels:
        names = tuple(labels.get(name, name) for name in pictures.names)
        pictures = Categories(names, pictures.before, pictures.now, pictures.others)
    drawn = distribution(pictures, one.name) if pictures else f"<small>{escape(_without(one))}</small>"
    note = "what the model answered; in training, the label" if answered else _note(one)
    return (
        f'<div class="panel{" bad" if one.violated else ""}">'
        f"<h3><span>{escape(one.name)}</span><em>{escape(_corner(one))}</em></h3>{drawn}<small>{escape(note)}</small></div>"
    )


def _corner(one: Column) -> str:
    """What stands beside a column's name: how far it is, but for one that is near and has another violation."""
    if one.violated and "baseline_drift_check" not in one.checks:
        return ", ".join(dict.fromkeys(NAMES.get(check, check) for check in one.checks))
    return _far(one)


def _note(one: Column) -> str:
    before, now = one.before.get("numerical_statistics"), one.now.get("numerical_statistics")
    parts = [f"mean {number(before['mean'])} → {number(now['mean'])}"] if before and now else []
    was, found = missing(one.before), missing(one.now)
    if was or found:
        parts.append(f"missing {percent(was)} → {percent(found)}")
    return ", ".join(parts)


def _without(one: Column) -> str:
    """Why there is nothing to draw."""
    if not one.now:
        return "There is no such column any more."
    if not one.before:
        return "There was no such column in training."
    if one.before.get("inferred_type") != one.now.get("inferred_type"):
        return f"Was {one.before.get('inferred_type')} in training and is {one.now.get('inferred_type')} now."
    return "Too many different values to draw."


def _far(one: Column) -> str:
    return "" if one.distance is None else f"distance {one.distance:.2f}"


def _trend(found: Found, every: list[Column]) -> str:
    names = [one.name for one in every if one.distance][:_LINES]
    names = names or [one.name for one in every if one.distance is not None][:1]
    before = {str(one["name"]): one for one in found.reports.baseline.get("features", [])}

    def values(reports: Reports) -> dict[str, float]:
        now = {str(one["name"]): one for one in reports.statistics.get("features", []) if one["name"] in names}
        far = {
            name: distance(before[name], now[name], robust(reports.constraints))
            for name in names
            if name in now and name in before
        }
        return {name: value for name, value in far.items() if value is not None}

    limit = every[0].limit if every else None
    return run_by_run(found, values, limit, "The distance from the baseline of the columns that are farthest now.")
