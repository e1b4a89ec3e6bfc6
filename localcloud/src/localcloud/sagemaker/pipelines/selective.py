"""Selective execution: some steps of a pipeline, with the results of the others from an execution before.

[DG] pipelines-selective-ex: between two selected steps everything is selected; steps after the selected ones do not
run; the execution that results are taken from has succeeded or failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.pipelines.definition import Definition
from localcloud.sagemaker.pipelines.records import ExecutionRecord, StepRun


def selected(definition: Definition, config: Mapping[str, Any]) -> frozenset[str]:
    """The steps to run. Raises ValidationException (texts ours)."""
    names = frozenset(step["StepName"] for step in config["SelectedSteps"])
    unknown = sorted(names - set(definition.steps))
    if unknown:
        raise errors.validation(f"Invalid SelectedSteps: step {unknown[0]!r} does not exist in the pipeline.")
    before = {name: _before(definition, name) for name in definition.steps}
    between = sorted(
        name
        for name in set(definition.steps) - names
        if before[name] & names and any(name in before[later] for later in names)
    )
    if between:
        raise errors.validation(
            f"Invalid SelectedSteps: {between} stand between selected steps and must be selected too."
        )
    return names


def taken_over(
    definition: Definition, names: frozenset[str], source: ExecutionRecord | None, now: float
) -> dict[str, StepRun]:
    """The runs that selected steps need of the execution ``source``; hold the lock.

    Raises ValidationException: of the source that is missing with AWS's text (reported: aws/sagemaker-python-sdk#4444).
    """
    needed = {other for name in names for other in definition.steps[name].after} - names
    if not needed:
        return {}
    if source is None:
        raise errors.validation(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps [{', '.join(sorted(names))}] have "
            f"dependencies on [{', '.join(sorted(needed))}]"
        )
    if source.status not in ("Succeeded", "Failed"):
        raise errors.validation(
            f"Invalid SourcePipelineExecutionArn: {source.arn} is in status {source.status}, and must be Succeeded or "
            "Failed."
        )
    for name in sorted(needed):
        run = source.runs.get(name)
        if run is None or run.status != "Succeeded":
            raise errors.validation(
                f"Invalid SourcePipelineExecutionArn: step {name!r} has not succeeded in {source.arn}."
            )
    # what a reference leads to may need the steps before those as well
    wanted = {other for name in needed for other in (name, *_before(definition, name))}
    return {
        name: replace(run, created=now, modified=now, ended=now, taken_from=source.arn)
        for name, run in source.runs.items()
        if name in wanted and run.status == "Succeeded"
    }


def _before(definition: Definition, name: str) -> frozenset[str]:
    """Every step that this one waits for, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in definition.steps[waiting.pop()].after:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(found)
