"""The page about a run of a monitor: one HTML file that needs nothing else, for screen and paper."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from operations.monitor import data_page, model_page
from operations.monitor.found import Found
from operations.monitor.html import section
from operations.webpage import filled

STYLE = Path(__file__).with_name("page.css")


def write_page(found: Found, folder: Path) -> Path:
    """Write ``monitor-<workload>-<monitor>-<time>.html`` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    run = found.run
    path = folder / f"monitor-{found.watched.workload}-{run.monitor.word}-{run.moment:%Y%m%d-%H%M}.html"
    path.write_text(page(found), encoding="utf-8")
    return path


def page(found: Found) -> str:
    """Return the page; whatever comes from outside is escaped."""
    run, watched = found.run, found.watched
    of_data = run.monitor.kind == "DataQuality"
    verdict = data_page.verdict(found) if of_data else model_page.verdict(found)
    sections = data_page.sections(found) if of_data else model_page.sections(found)
    window = when(found)
    where = (
        "localcloud, the embedded AWS, whose clock is its own"
        if watched.target.name == "local"
        else f"AWS account {watched.target.account}"
    )
    started = "by hand" if run.by_hand else f"by its schedule, {run.monitor.rhythm}"
    return filled(
        STYLE,
        title=f"{escape(watched.workload)}: {run.monitor.word} {run.moment:%Y-%m-%d %H:%M}",
        kicker=f"sandcastle monitor &middot; {run.monitor.word} &middot; {window}",
        mood="good" if not found.reports.violations else "bad",
        verdict=verdict[0],
        subtitle=verdict[1],
        tiles=_tiles(data_page.tiles(found) if of_data else model_page.tiles(found)),
        sections="\n".join(one for one in [*sections, _what_to_do(found)] if one),
        footer=f"{escape(where)}, region {escape(watched.target.region)}, environment {escape(watched.environment)}, "
        f"{escape(run.monitor.about)}. Run {started}, of schedule {escape(run.monitor.schedule)}, due "
        f"{run.moment:%Y-%m-%d %H:%M} UTC, as job {escape(run.job)}. The files behind this page: "
        f"<code>{escape(found.folders.report)}/</code>",
    )


def when(found: Found) -> str:
    """Return the window that was looked at, for a person."""
    begin, end = found.folders.begin, found.folders.end
    if not (begin and end):
        return f"{found.run.moment:%Y-%m-%d %H:%M} UTC"
    same = begin[:10] == end[:10]
    return escape(f"{begin[:10]} {begin[11:16]} to {end[11:16] if same else f'{end[:10]} {end[11:16]}'} UTC")


def _tiles(tiles: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f'<div class="tile"><b>{escape(value)}</b><span>{escape(words)}</span></div>'
                     for value, words in tiles)  # fmt: skip


def _what_to_do(found: Found) -> str:
    """What one does now, in commands."""
    watched = found.watched
    if not found.reports.violations:
        return ""
    ask = f"--environment {watched.environment}"
    if found.run.monitor.kind == "DataQuality":
        first = (
            "Find out what changed where the data comes from: a unit, a sensor, a form, another kind of customer? "
            "Drift is not an error of the model, but it answers questions now that it was not taught."
        )
    else:
        first = (
            "Look at the confusion matrix first: errors in one class only have another cause than errors everywhere. "
            "Make sure that the labels are right, too."
        )
    again = f"sandcastle pipeline run {watched.workload} {ask}" if watched.has_pipeline else f"sandcastle deploy {ask}"
    lines = [
        first,
        f"Is it gone by now? <code>{escape(f'sandcastle monitor run {watched.workload} {ask}')}</code>",
        "If this is how the world is from now on, train with data that knows it, and the baseline is made anew: "
        f"<code>{escape(again)}</code>",
    ]
    listed = "".join(f"<li>{line}</li>" for line in lines)
    goes_on = "transform jobs go on" if found.run.monitor.batch else "the endpoint goes on answering"
    words = f"A monitor reports and changes nothing: {goes_on}."
    return section("What to do", words, f'<div class="card"><ul class="plain">{listed}</ul></div>')
