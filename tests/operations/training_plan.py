"""Executions of the training pipeline of digits, as AWS would tell of them: running, failed, deployed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.pipeline.execution import Execution, State, StepRun
from operations.pipeline.plan import Plan
from sandcastle.pipeline import training_pipeline
from tests.constructs.pipeline.recipes import FINGERPRINT, parts, workload

START = datetime(2026, 11, 26, 21, 0, tzinfo=UTC)


def definition() -> str:
    """The real definition, as the stack would have it."""
    return training_pipeline(
        workload("digits"), parts("digits"), fingerprint=FINGERPRINT, approve=0.7, review=0.5
    ).body()


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
    runs = [*_JUDGED, *_decided(), ("TooWeak", State.FAILED, 18.26, 18.27), ("ModelQualityBaseline", DONE, 18.25, 23)]
    return execution("Failed", runs, GoodEnough=NO, GoodEnoughToDeploy=NO, GoodEnoughToReview=NO)


def deployed() -> Execution:
    """One that came to its end."""
    names = ("CreateModel", "SmokeTest", "Deploy", "Confirm", "Schedules")
    runs = [
        *_JUDGED,
        *_decided(),
        ("ModelQualityBaseline", DONE, 18.25, 23),
        ("RegisterApproved", DONE, 23.1, 23.2),
        *((name, DONE, 24 + number * 2, 26 + number * 2) for number, name in enumerate(names)),
    ]
    return execution("Succeeded", runs, GoodEnough=YES, GoodEnoughToDeploy=YES, GoodEnoughToReview=NO)


def _decided() -> list[tuple[str, State, float, float]]:
    return [(name, DONE, 18.25, 18.26) for name in ("GoodEnough", "GoodEnoughToDeploy", "GoodEnoughToReview")]
