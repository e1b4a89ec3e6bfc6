"""``sandcastle tutorial WORKLOAD``: its notebook, run to its end or opened in JupyterLab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.pipeline.place import Place
from operations.project import ROOT, display
from operations.served import known_workload
from operations.stacks import environment_stacks, with_pipeline, workload_outputs
from operations.target import Target
from operations.tutorial import execute, lay_out, notebook_of, settings_of, write_settings
from operations.words import count

ROOMS = ROOT / ".tutorials"
"""Copies that people work on, one folder for each environment."""


def run_tutorial(
    target: Target, environment: str, workload: str, user: str | None, folder: Path, console: Console
) -> dict[str, Any]:
    """Run the notebook without a browser; write it and an HTML page of it into the folder.

    Raises OperationError with the cell that failed; what the notebook made is deleted either way.
    """
    known_workload(workload)
    notebook_of(workload)
    _insist_on_data(target, environment, workload)
    settings = settings_of(target, environment, user)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from error
    console.step(f"running the tutorial of {workload}; its jobs and endpoint are {settings.user}'s")

    def tell(number: int, of: int, line: str) -> None:
        console.step(f"cell {number} of {of}: {line}")

    results = execute(workload, settings, {**os.environ, **target.settings}, tell)
    from operations.notebook_page import page, written

    notebook, html = folder / f"{workload}-tutorial.ipynb", folder / f"{workload}-tutorial.html"
    notebook.write_text(written(results.notebook), encoding="utf-8")
    html.write_text(page(results.notebook, f"Tutorial {workload}"), encoding="utf-8")
    for name, value in results.values.items():
        console.say(f"  {name}: {value}")
    console.say(f"All {count(results.cells, 'cell')} ran. Written: {display(html)}, {display(notebook)}")
    return {
        "environment": environment,
        "workload": workload,
        "user": settings.user,
        "cells": results.cells,
        "results": results.values,
        "html": str(html),
        "notebook": str(notebook),
    }


def _insist_on_data(target: Target, environment: str, workload: str) -> None:
    """Raise OperationError when the environment has prepared no data of the workload: a deploy or its pipeline does."""
    stack = with_pipeline(environment_stacks(target, environment), environment).get(workload)
    if stack is None:
        workload_outputs(target, environment, workload)
        return
    place = Place.of(target, environment, workload, stack.outputs)
    if place.newest(place.training) is None:
        raise OperationError(
            f"The pipeline of {workload} has prepared no data yet in environment {environment}. "
            f"Run it with: {place.command('run')}"
        )


def open_tutorial(target: Target, environment: str, workload: str, user: str | None, console: Console) -> int:
    """Open a copy of the notebook in JupyterLab and wait until it is closed; return JupyterLab's exit code.

    The copy lies as it would in Studio and keeps what its reader changes. Raises OperationError when JupyterLab cannot
    be installed.
    """
    from operations import jupyter

    known_workload(workload)
    notebook_of(workload)
    settings = settings_of(target, environment, user)
    jupyter.install(console)
    room = ROOMS / environment
    place = lay_out(room, workload)
    env = {**target.settings, "SANDCASTLE_SETTINGS": str(write_settings(room, settings))}
    console.say(f"{display(place)} is your copy. Close JupyterLab with Ctrl-C, twice.")
    return jupyter.run(room / "tutorials", f"{workload}/tutorial.ipynb", env)
