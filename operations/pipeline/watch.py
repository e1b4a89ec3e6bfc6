"""``sandcastle pipeline watch``: an execution until it ends, as a tree that changes or, in a file, line by line."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.live import Live

from operations.by_hand import goes_on
from operations.console import Console
from operations.pipeline.execution import Execution, State, look
from operations.pipeline.notes import Notes
from operations.pipeline.place import Place
from operations.pipeline.tree import show, took
from operations.pipeline.versions import APPROVED, PENDING, Version, described

_PAUSE = 10.0
"""Seconds between two looks; steps take minutes."""


def watch(place: Place, arn: str, console: Console) -> dict[str, Any]:
    """Follow an execution to its end, show what became of it, and return it as a document."""
    title = place.called(arn.split("/")[1])
    stop = f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {arn}"
    with goes_on(console, f"Execution {arn.rpartition('/')[2]}", stop):
        execution, notes = _follow(place, arn, title, console)
    now = place.target.now()
    console.show(show(execution, title, notes, now))
    console.say("")
    told = _outcome(place, execution, console)
    return {**document(place, execution, now), **told}


def document(place: Place, execution: Execution, now: datetime) -> dict[str, Any]:
    """Return an execution for machines: every step of the plan, whether it ran or not."""
    steps = []
    for name, step in execution.plan.steps.items():
        run = execution.steps.get(name)
        steps.append(
            {
                "name": name,
                "type": step.kind,
                "state": execution.state(name).value,
                "seconds": run.seconds(now) if run else None,
                "attempts": run.attempts if run else 0,
                "reason": run.reason if run else "",
                "made": run.made if run else "",
            }
        )
    return {
        "workload": place.workload,
        "pipeline": execution.pipeline,
        "execution": execution.arn,
        "status": execution.status,
        "reason": execution.reason,
        "seconds": execution.seconds(now),
        "steps": steps,
    }


def _follow(place: Place, arn: str, title: str, console: Console) -> tuple[Execution, dict[str, str]]:
    """Look again and again until the execution has ended; return it and the notes on its steps."""
    notes, told = Notes(place.target), dict[str, State]()
    execution = look(place.target, arn)
    with Live(console=console.progress, auto_refresh=False, transient=True) as live:
        while True:
            said, now = notes.of(execution), place.target.now()
            if console.progress.is_terminal:
                live.update(show(execution, title, said, now, console.progress.height), refresh=True)
            else:
                _tell(execution, told, said, now, console)
            if not execution.busy:
                return execution, said
            time.sleep(_PAUSE * place.target.pace)
            execution = look(place.target, arn, execution.plan)


def _tell(execution: Execution, told: dict[str, State], notes: dict[str, str], now: datetime, console: Console) -> None:
    """Print a line for each step that is in another state than before."""
    for name in execution.plan.steps:
        state = execution.state(name)
        if name not in execution.steps or told.get(name) is state:
            continue
        told[name] = state
        time_taken = f" after {taken}" if state.ended and (taken := took(execution, name, now)) else ""
        console.step(f"{name}: {state.value}{time_taken}" + (f", {notes[name]}" if name in notes else ""))


def _outcome(place: Place, execution: Execution, console: Console) -> dict[str, Any]:
    """Say what became of an execution and what one can do now; return it for machines."""
    if execution.status != "Succeeded":
        for run in execution.failed:
            console.say(f"{run.name} failed: {run.reason or 'SageMaker gives no reason'}")
            if any(f":{kind}-job/" in run.made for kind in ("training", "processing", "transform")):
                console.say(f"  its log: sandcastle logs {run.made.rpartition('/')[2]}")
        if not execution.failed:
            console.say(f"{execution.status}: {execution.reason or 'SageMaker gives no reason'}")
        if all(execution.plan.steps[run.name].kind != "Fail" for run in execution.failed):
            again = place.command(f"run --retry --execution {execution.id}")
            console.say(f"On from where it stopped, keeping what it has made: {again}")
        return {}
    version = _registered(place, execution)
    served = place.serving()
    if version and version.approval == PENDING:
        console.say(f"{place.workload}, {version.words}: good enough to be looked at, not to be deployed unseen.")
        console.say(f"Deploy it with: {place.command(f'approve {version.number}')}")
        console.say(f"Or not, with:   {place.command(f'reject {version.number}')}")
    elif version and version.approval == APPROVED:
        console.say(f"{place.workload}, {version.words}: approved.")
    if served:
        console.say(served.words)
        console.say(f"Ask it with: sandcastle predict {place.workload} --sample 1 --environment {place.environment}")
    return {
        "version": version.number if version else None,
        "approval": version.approval if version else None,
        "accuracy": version.accuracy if version else None,
        "endpoint": asdict(served) if served else None,
    }


def _registered(place: Place, execution: Execution) -> Version | None:
    """Return the version that the execution has registered, if it has."""
    made = [run.made for run in execution.steps.values() if ":model-package/" in run.made]
    return described(place, made[0]) if made else None
