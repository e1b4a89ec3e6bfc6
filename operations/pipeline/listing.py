"""``sandcastle pipeline list``: the executions of a workload's pipelines, and the versions of its model."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table

from operations.console import Console
from operations.pipeline.place import Place
from operations.pipeline.versions import PENDING, WORDS, Version, versions
from operations.words import duration


def listing(place: Place, limit: int, console: Console) -> dict[str, Any]:
    """Show the newest ``limit`` executions of both pipelines together, and as many versions."""
    now = place.target.now()
    executions = [_execution(place, one, now) for one in _newest(place, limit)]
    found = versions(place)
    served = place.serving()
    if executions:
        console.show(_executions(place, executions))
    else:
        console.say(f"The pipeline of {place.workload} has never run. Run it with: {place.command('run')}")
    if found:
        console.show(_versions(place, found[:limit], served.version if served else None))
    for version in found:
        if version.approval == PENDING:
            console.say(f"Version {version.number} waits: {place.command(f'approve {version.number}')}, or reject.")
    console.say(served.words if served else "There is no endpoint: the first deployment makes it.")
    return {
        "workload": place.workload,
        "executions": executions,
        "versions": [
            {
                "version": version.number,
                "arn": version.arn,
                "approval": version.approval,
                "accuracy": version.accuracy,
                "candidate": version.candidate,
                "data_version": version.data_version,
                "execution": version.execution,
                "created": version.created,
            }
            for version in found[:limit]
        ],
        "endpoint": asdict(served) if served else None,
    }


def _newest(place: Place, limit: int) -> list[dict[str, Any]]:
    found = []
    for name in place.pipelines.values():
        for number, one in enumerate(place.executions(name)):
            if number == limit:
                break
            found.append(one)
    return sorted(found, key=lambda one: one["StartTime"], reverse=True)[:limit]


def _execution(place: Place, one: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return one execution with what its summary leaves out: when it ended, and the words of the step that failed."""
    sagemaker, arn = place.target.client("sagemaker"), one["PipelineExecutionArn"]
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    status = described["PipelineExecutionStatus"]
    reason, until = "", now if status in ("Executing", "Stopping") else described["LastModifiedTime"]
    if status == "Failed":
        pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
        steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
        failed = [f"{step['StepName']}: {step.get('FailureReason', '')}" for step in steps if _failed(step)]
        reason = failed[-1] if failed else described.get("FailureReason", "")
    return {
        "execution": arn.rpartition("/")[2],
        "arn": arn,
        "pipeline": place.called(arn.split("/")[1]).rpartition(" ")[2],
        "status": status,
        "started": one["StartTime"],
        "seconds": max(0.0, (until - one["StartTime"]).total_seconds()),
        "reason": reason,
    }


def _failed(step: dict[str, Any]) -> bool:
    return bool(step["StepStatus"] == "Failed")


def _executions(place: Place, rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE, title=f"executions of {place.workload}", title_justify="left")
    for heading in ("execution", "pipeline", "status", "started", "time", "reason"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "time" else "left")
    for one in rows:
        time = duration(round(one["seconds"]))
        table.add_row(one["execution"], one["pipeline"], one["status"], _day(one["started"]), time, one["reason"])
    return table


def _versions(place: Place, rows: list[Version], serves: int | None) -> Table:
    table = Table(box=box.SIMPLE, title=f"versions of {place.workload}", title_justify="left")
    for heading in ("version", "accuracy", "approval", "candidate", "data", "execution", "registered", ""):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("version", "accuracy") else "left")
    for one in rows:
        table.add_row(
            str(one.number),
            one.accuracy,
            WORDS.get(one.approval, one.approval),
            one.candidate,
            one.data_version,
            one.execution,
            _day(one.created),
            "serves" if one.number == serves else "",
        )
    return table


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
