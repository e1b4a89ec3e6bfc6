"""``sandcastle pipeline approve`` and ``reject``: a person's word on a version, and the deployment that follows it.

Approving is a change in the registry. EventBridge tells it to the function ``pipeline_approved``, which starts the
deployment pipeline; so it is the same whoever approves, here, in Studio or by AWS's own command.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.pipeline.place import Place
from operations.pipeline.versions import APPROVED, REJECTED, WORDS, Version, version_of
from operations.pipeline.watch import watch

_PAUSE, _PATIENCE = 2.0, 120.0
"""Seconds between two looks for the deployment, and how long it may take to begin: an event takes a few seconds."""


def approve(place: Place, number: int, comment: str, yes: bool, watching: bool, console: Console) -> dict[str, Any]:
    """Approve a version after a look at its accuracy, and watch its deployment.

    A version that is approved already is deployed again: so one goes back to an earlier one. Raises UsageError when
    there is no such version or nobody confirms, OperationError when no deployment begins.
    """
    version = version_of(place, number)
    served = place.serving()
    console.say(f"{place.workload}, {version.words}; {WORDS.get(version.approval, version.approval)}.")
    if served:
        console.say(served.words)
    again = version.approval == APPROVED
    if again and served and (served.version, served.status) == (number, "InService"):
        raise UsageError(f"Version {number} is approved and serves already. Nothing was done.")
    _confirm(f"{'Deploy' if again else 'Approve and deploy'} version {number} of {place.workload}?", yes)
    known = {one["PipelineExecutionArn"] for one in place.executions(place.deployment)}
    arn = _deploy(place, version) if again else _approved(place, version, comment, known)
    console.step(f"the deployment of version {number} has begun: execution {arn.rpartition('/')[2]}")
    document = {"workload": place.workload, "version": number, "accuracy": version.accuracy, "approval": APPROVED}
    if not watching:
        console.say(f"Watch it with: {place.command('watch')}")
        return {**document, "execution": arn, "status": "Executing"}
    return {**watch(place, arn, console), **document}


def reject(place: Place, number: int, comment: str, console: Console) -> dict[str, Any]:
    """Reject a version. An endpoint that serves it goes on; that is said."""
    version = version_of(place, number)
    console.say(f"{place.workload}, {version.words}; {WORDS.get(version.approval, version.approval)}.")
    _mark(place, version, REJECTED, comment)
    console.say(f"Version {number} is rejected: no deployment will take it.")
    served = place.serving()
    serves = served is not None and served.version == number
    if serves:
        console.warn(
            f"{place.endpoint} serves version {number} and goes on with it. Deploy another version with: "
            f"{place.command('approve VERSION')}"
        )
    return {
        "workload": place.workload,
        "version": number,
        "accuracy": version.accuracy,
        "approval": REJECTED,
        "serves": serves,
    }


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty() or input(f"{question} Type yes to go on: ").strip() != "yes":
        raise UsageError("Not confirmed; nothing was done. In a script, say --yes.")


def _mark(place: Place, version: Version, approval: str, comment: str) -> None:
    place.target.client("sagemaker").update_model_package(
        ModelPackageArn=version.arn,
        ModelApprovalStatus=approval,
        **({"ApprovalDescription": comment} if comment else {}),
    )


def _approved(place: Place, version: Version, comment: str, known: set[str]) -> str:
    """Approve, and return the execution that this has started."""
    _mark(place, version, APPROVED, comment)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for one in place.executions(place.deployment):
            if one["PipelineExecutionArn"] not in known and _package(place, one["PipelineExecutionArn"]) == version.arn:
                return str(one["PipelineExecutionArn"])
        time.sleep(_PAUSE * place.target.pace)
    raise OperationError(
        f"Version {version.number} is approved, but no deployment has begun within {_PATIENCE:.0f} s. Look at the log "
        f"of the function that EventBridge calls, or start it by hand: {place.command(f'approve {version.number}')}"
    )


def _deploy(place: Place, version: Version) -> str:
    """Start the deployment pipeline for a version that is approved: nothing changes, so no event does."""
    if not version.folder:
        raise UsageError(f"Version {version.number} was not registered by the pipeline: its smoke test is not known.")
    arn: str = place.target.client("sagemaker").start_pipeline_execution(
        PipelineName=place.deployment,
        PipelineParameters=[
            {"Name": "ModelPackageArn", "Value": version.arn},
            {"Name": "Folder", "Value": version.folder},
        ],
    )["PipelineExecutionArn"]
    return arn


def _package(place: Place, arn: str) -> str:
    """Return the model package that an execution of the deployment pipeline is about."""
    sagemaker = place.target.client("sagemaker")
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    values = {one["Name"]: one["Value"] for page in pages for one in page["PipelineParameters"]}
    return str(values.get("ModelPackageArn", ""))
