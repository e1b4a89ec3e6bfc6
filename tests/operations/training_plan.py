"""The shape of a workload's training pipeline: its steps, what each refers to, its branches. Nothing of it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.pipeline.execution import Execution, State, StepRun
from operations.pipeline.plan import Plan

START = datetime(2026, 11, 26, 21, 0, tzinfo=UTC)
CANDIDATES = ("Top1", "Top2", "Plain")


def step(name: str, kind: str, *refers: str, **members: Any) -> dict[str, Any]:
    arguments = {"Values": [{"Get": f"Steps.{one}"} for one in refers], **members.pop("Arguments", {})}
    return {"Name": name, "Type": kind, "Arguments": arguments, **members}


def _deployment(package: str, folder: str) -> list[dict[str, Any]]:
    return [
        step("CreateModel", "Model", package),
        step("SmokeTest", "Transform", "CreateModel.ModelName", folder),
        step("Deploy", "Lambda", package, folder, "SmokeTest.TransformOutput.S3OutputPath"),
        step("Confirm", "Lambda", package, folder, DependsOn=["Deploy"]),
        step("Schedules", "Lambda", package, "Confirm.OutputParameters['endpoint']"),
    ]


def _condition(name: str, yes: list[Any], no: list[Any], *after: str) -> dict[str, Any]:
    accuracy = {"Get": "Steps.ChooseBest.OutputParameters['accuracy']"}
    compared = {"Type": "GreaterThanOrEqualTo", "LeftValue": accuracy, "RightValue": {"Get": "Parameters.Limit"}}
    arguments = {"Conditions": [compared], "IfSteps": yes, "ElseSteps": no}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, "DependsOn": list(after)}


def definition() -> str:
    """The JSON of it."""
    folder = "ChooseBest.OutputParameters['folder']"
    metrics = ("ModelQualityBaseline.CalculatedBaselineStatistics", "DataQualityBaseline.CalculatedBaselineStatistics")
    approved = [
        step("RegisterApproved", "RegisterModel", folder, *metrics),
        *_deployment("RegisterApproved.ModelPackageArn", folder),
    ]
    pending = [step("RegisterPending", "RegisterModel", folder, *metrics)]
    good = [
        step("ModelQualityBaseline", "QualityCheck", folder),
        _condition("GoodEnoughToDeploy", approved, pending, "ModelQualityBaseline"),
    ]
    models = {
        "Top1": "Tune.TrainingJobSummaries[0].TrainingJobName",
        "Top2": "Tune.TrainingJobSummaries[1].TrainingJobName",
        "Plain": "Train.ModelArtifacts.S3ModelArtifacts",
    }
    steps = [
        step("Prepare", "Processing"),
        step("Tune", "Tuning", "Prepare.ProcessingOutputConfig"),
        step("Train", "Training", "Prepare.ProcessingOutputConfig"),
        step("DataQualityBaseline", "QualityCheck", "Prepare.ProcessingOutputConfig"),
        *(step(f"Evaluate{one}", "Processing", "Prepare.ProcessingOutputConfig", models[one]) for one in CANDIDATES),
        step("ChooseBest", "Lambda", *(f"Evaluate{one}.PropertyFiles.Evaluation" for one in CANDIDATES)),
        _condition("GoodEnough", good, [step("TooWeak", "Fail", folder)]),
    ]
    parameters = [
        {"Name": "DataVersion", "Type": "String", "DefaultValue": "0123456789ab"},
        {"Name": "ApproveAccuracy", "Type": "Float", "DefaultValue": 0.7},
        {"Name": "MaxTrials", "Type": "Integer", "DefaultValue": 3},
    ]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": steps})


def execution(status: str, runs: Sequence[tuple[str, State, float, float | None]], **metadata: Any) -> Execution:
    """An execution whose steps ran from and to these minutes after its start; None is a step that runs yet."""
    steps = {
        name: StepRun(
            name,
            state,
            START + timedelta(minutes=begin),
            None if end is None else START + timedelta(minutes=end),
            "",
            1,
            metadata.get(name, {}),
        )
        for name, state, begin, end in runs
    }
    ended = None if status == "Executing" else max(run.ended for run in steps.values() if run.ended)
    pipeline = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/sandcastle-local--digits-0123-training"
    return Execution(f"{pipeline}/execution/abc123def456", status, START, ended, "", Plan.read(definition()), steps)


YES, NO = {"Condition": {"Outcome": "True"}}, {"Condition": {"Outcome": "False"}}
DONE = State.SUCCEEDED
_JUDGED = [
    ("Prepare", State.CACHED, 0, 0), ("Tune", DONE, 0, 14.5), ("Train", DONE, 0, 4.2),
    ("DataQualityBaseline", DONE, 0, 5), ("EvaluateTop1", DONE, 14.5, 18), ("EvaluateTop2", DONE, 14.5, 18.2),
    ("EvaluatePlain", DONE, 4.2, 8), ("ChooseBest", DONE, 18.2, 18.25),
]  # fmt: skip


def running() -> Execution:
    """One that tunes and has trained and judged the plain model."""
    runs = [*_JUDGED[:1], ("Tune", State.RUNNING, 0, None), *_JUDGED[2:4], ("EvaluatePlain", State.RUNNING, 4.2, None)]
    return execution("Executing", runs)


def weak() -> Execution:
    """One whose best model is below the limit."""
    runs = [*_JUDGED, ("GoodEnough", DONE, 18.25, 18.26), ("TooWeak", State.FAILED, 18.26, 18.27)]
    return execution("Failed", runs, GoodEnough=NO)


def deployed() -> Execution:
    """One that came to its end."""
    names = ("CreateModel", "SmokeTest", "Deploy", "Confirm", "Schedules")
    runs = [
        *_JUDGED,
        ("GoodEnough", DONE, 18.25, 18.26),
        ("ModelQualityBaseline", DONE, 18.26, 23),
        ("GoodEnoughToDeploy", DONE, 23, 23.1),
        ("RegisterApproved", DONE, 23.1, 23.2),
        *((name, DONE, 24 + number * 2, 26 + number * 2) for number, name in enumerate(names)),
    ]
    return execution("Succeeded", runs, GoodEnough=YES, GoodEnoughToDeploy=YES)
