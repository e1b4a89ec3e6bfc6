"""``sandcastle pipeline graph``: the definition as a picture, with the colours of its last execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.pipeline.drawing import draw
from operations.pipeline.execution import look
from operations.pipeline.notes import Notes
from operations.pipeline.place import Place
from operations.pipeline.tree import summary
from operations.project import display


def graph(
    place: Place, pipeline: str, execution: str | None, coloured: bool, folder: Path, console: Console
) -> dict[str, Any]:
    """Write the SVG of a pipeline into the folder.

    ``execution`` is an id, None for the newest one; without ``coloured``, and where nothing has run, it is the plain
    definition. Raises UsageError when there is no such execution or nothing can be written.
    """
    arn = place.execution(execution, pipeline) if execution else place.newest(pipeline) if coloured else None
    found = look(place.target, arn) if arn else None
    plan = found.plan if found else place.plan(pipeline)
    notes, now = (Notes(place.target).of(found), place.target.now()) if found else ({}, None)
    word = place.called(pipeline).rpartition(" ")[2]
    path = folder / f"{place.workload}-{word}.svg"
    picture = draw(plan, f"{place.workload}: {word} pipeline", found, notes, now)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from error
    console.say(f"Written: {display(path)} ({summary(found) if found else f'{len(plan.steps)} steps, as defined'})")
    return {
        "workload": place.workload,
        "pipeline": pipeline,
        "execution": arn,
        "steps": list(plan.steps),
        "picture": str(path),
    }
