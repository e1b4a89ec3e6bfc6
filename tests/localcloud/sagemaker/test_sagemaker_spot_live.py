"""A spot job that is really interrupted: it goes on at the round at which it was, from its checkpoint."""

from __future__ import annotations

import urllib.error
from dataclasses import replace
from typing import Any

import pytest

from tests.localcloud.sagemaker.live import Workshop, role, wait_for

ROUNDS = 60


@pytest.fixture(scope="module")
def workshop(localcloud: Any) -> Workshop:
    opened = Workshop.open(localcloud, "spot")
    # old checkpoints are deleted, in S3 too
    delete = {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::spot/checkpoints/*"}
    return replace(opened, role=role(localcloud, "spot-checkpoints", [delete]))


def rounds(localcloud: Any, job: str) -> list[list[int]]:
    """The numbers of the rounds that each attempt logged."""
    logs = localcloud.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/algo-1-")["logStreams"]
    attempts = []
    for stream in sorted(streams, key=lambda each: each["creationTime"]):
        lines: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **token
            )
            lines += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == token.get("nextToken"):
                break
            token = {"nextToken": page["nextForwardToken"]}
        attempts.append([int(line[1 : line.index("]")]) for line in lines if "#011" in line])
    return attempts


def test_xgboost_goes_on_where_it_was_interrupted(localcloud: Any, workshop: Workshop) -> None:
    sm, s3 = localcloud.client("sagemaker"), localcloud.client("s3")
    ordered = localcloud.admin(
        "POST", "training-job", {"name": "*", "interrupt": True, "line": r"^\[20\]", "seconds": 60}
    )
    assert len(ordered["pending"]) == 1
    request = workshop.training(num_round=str(ROUNDS), max_depth="2", eta="0.01")
    request["StoppingCondition"] = {"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 600}
    sm.create_training_job(
        TrainingJobName="spot-1",
        **request,
        EnableManagedSpotTraining=True,
        CheckpointConfig={"S3Uri": f"s3://{workshop.bucket}/checkpoints", "LocalPath": "/opt/ml/checkpoints"},
    )
    done = wait_for(
        lambda: sm.describe_training_job(TrainingJobName="spot-1"),
        lambda found: found["TrainingJobStatus"] != "InProgress",
    )
    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    assert [each["Status"] for each in done["SecondaryStatusTransitions"]] == [
        *["Starting", "Downloading", "Training", "Interrupted"],
        *["Starting", "Downloading", "Training", "Uploading", "Completed"],
    ]
    assert 0 < done["BillableTimeInSeconds"] < done["TrainingTimeInSeconds"]
    first, second = rounds(localcloud, "spot-1")
    assert 20 <= first[-1] < ROUNDS - 1
    # nothing is trained twice but the round whose checkpoint the interruption cut off
    assert first[-1] <= second[0] <= first[-1] + 1
    assert second[-1] == ROUNDS - 1
    kept = s3.list_objects_v2(Bucket=workshop.bucket, Prefix="checkpoints/")["Contents"]
    assert f"checkpoints/xgboost-checkpoint.{ROUNDS - 1}" in [each["Key"] for each in kept]
    assert localcloud.admin("GET", "training-job") == {"pending": []}


def test_an_order_that_cannot_be_is_refused(localcloud: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        localcloud.admin("POST", "training-job", {"name": "x"})
    assert refused.value.code == 400
    assert b"interrupt' is missing" in refused.value.read()
