"""Datasets and trained models: started once, found again, stopped, and their failures told."""

from __future__ import annotations

import json
from typing import Any

import job_kinds
import jobs
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import Scripted

FINGERPRINT = "0123456789abcdef"
NAME = "sandcastle-local--bank--01234567-5f0c2a10"
REQUEST = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://models/bank"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
    "RoleArn": "arn:aws:iam::000000000000:role/training-role",
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
PROPERTIES = {
    "Kind": "training",
    "JobPrefix": "sandcastle-local--bank-",
    "StackPart": "5f0c2a10",
    "Fingerprint": FINGERPRINT,
    "Result": "s3://models/bank/0123456789abcdef",
    "Request": json.dumps(REQUEST),
}
ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/x"
ARTIFACT = f"s3://models/bank/{FINGERPRINT}/{NAME}/output/model.tar.gz"
CREATED = {"TrainingJobArn": ARN}
NOT_FOUND = ("ValidationException", "Requested resource not found.")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, sagemaker: Scripted, s3: Scripted, logs: Scripted) -> None:
    """The entry points get these clients."""
    found = {"sagemaker": sagemaker.client, "s3": s3.client, "logs": logs.client}
    monkeypatch.setattr(jobs, "client", found.__getitem__)


def described(status: str, name: str = NAME, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": ARN,
        "ModelArtifacts": {"S3ModelArtifacts": ARTIFACT},
        "TrainingJobStatus": status,
        "SecondaryStatus": more.pop("SecondaryStatus", status if status != "InProgress" else "Training"),
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": REQUEST["ResourceConfig"],
        "StoppingCondition": {},
        "CreationTime": 0,
        **more,
    }


def event(request: str, **more: Any) -> dict[str, Any]:
    return {"RequestType": request, "ResourceProperties": PROPERTIES, **more}


def listed(*names: str) -> dict[str, Any]:
    summary = {"TrainingJobArn": ARN, "CreationTime": 0, "TrainingJobStatus": "InProgress"}
    return {"TrainingJobSummaries": [{"TrainingJobName": name, **summary} for name in names]}


def expect_busy(sagemaker: Scripted, in_progress: list[str], stopping: list[str] | None = None) -> None:
    for status, names in (("InProgress", in_progress), ("Stopping", stopping or [])):
        request = {"NameContains": "sandcastle-local--bank-", "StatusEquals": status}
        sagemaker.reply("list_training_jobs", request, listed(*names))


@pytest.mark.usefixtures("clients")
def test_create_starts_a_job_with_the_request_as_it_was_written(sagemaker: Scripted) -> None:
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    assert jobs.on_event(event("Create"), None) == {
        "PhysicalResourceId": "sandcastle-local--bank--training-5f0c2a10",
        "Data": {"JobName": NAME},
    }


@pytest.mark.usefixtures("clients")
def test_same_fingerprint_uses_the_finished_job_again(sagemaker: Scripted, s3: Scripted) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    prefix = f"bank/{FINGERPRINT}/{NAME}/output/model.tar.gz"
    s3.reply("list_objects_v2", {"Bucket": "models", "Prefix": prefix, "MaxKeys": 1}, {"KeyCount": 1})
    assert jobs.on_event(event("Update"), None)["Data"] == {"JobName": NAME}


@pytest.mark.usefixtures("clients")
def test_a_running_job_of_the_same_fingerprint_is_adopted(sagemaker: Scripted) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("InProgress"))
    assert jobs.on_event(event("Create"), None)["Data"] == {"JobName": NAME}


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("status", ["Failed", "Stopped", "Stopping"])
def test_a_job_that_did_not_complete_is_followed_by_another_attempt(sagemaker: Scripted, status: str) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described(status))
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    sagemaker.reply("create_training_job", {"TrainingJobName": f"{NAME}-2", **REQUEST}, CREATED)
    assert jobs.on_event(event("Create"), None)["Data"] == {"JobName": f"{NAME}-2"}


@pytest.mark.usefixtures("clients")
def test_a_finished_job_whose_result_was_deleted_is_run_again(sagemaker: Scripted, s3: Scripted) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    s3.stub.add_response("list_objects_v2", {"KeyCount": 0})
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    sagemaker.reply("create_training_job", {"TrainingJobName": f"{NAME}-2", **REQUEST}, CREATED)
    assert jobs.on_event(event("Update"), None)["Data"] == {"JobName": f"{NAME}-2"}


def test_a_new_role_is_waited_for(sagemaker: Scripted, pauses: list[float]) -> None:
    for _ in range(3):
        sagemaker.refuse("create_training_job", "ValidationException", "Could not assume role arn:aws:iam::0:role/x")
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST)
    assert pauses == [jobs.PAUSE_SECONDS] * 3


@pytest.mark.usefixtures("pauses")
def test_a_role_that_cannot_be_assumed_fails_in_the_end(sagemaker: Scripted) -> None:
    for _ in range(int(jobs.ROLE_WAIT_SECONDS / jobs.PAUSE_SECONDS) + 2):
        sagemaker.refuse("create_training_job", "ValidationException", "Could not assume role")
    with pytest.raises(ClientError, match="Could not assume role"):
        jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST)


def test_an_event_that_was_delivered_twice_starts_one_job(sagemaker: Scripted) -> None:
    sagemaker.refuse("create_training_job", "ResourceInUse", "Job name must be unique")
    jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST)


def test_a_refused_request_is_not_repeated(sagemaker: Scripted, pauses: list[float]) -> None:
    sagemaker.refuse("create_training_job", "ResourceLimitExceeded", "The account-level service limit is 0")
    with pytest.raises(ClientError, match="service limit"):
        jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST)
    assert pauses == []


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_busy_job_is_not_complete(sagemaker: Scripted, status: str) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described(status))
    assert jobs.is_complete(event("Create", Data={"JobName": NAME}), None) == {"IsComplete": False}


@pytest.mark.usefixtures("clients")
def test_a_completed_job_gives_its_result(sagemaker: Scripted) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    assert jobs.is_complete(event("Create", Data={"JobName": NAME}), None) == {
        "IsComplete": True,
        "Data": {"JobName": NAME, "Result": ARTIFACT},
    }


@pytest.mark.usefixtures("clients")
def test_a_failure_tells_the_services_reason_and_the_log_stream(sagemaker: Scripted, logs: Scripted) -> None:
    reason = "AlgorithmError: label column is empty, exit code: 1"
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Failed", FailureReason=reason))
    logs.reply(
        "describe_log_streams",
        {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": f"{NAME}/", "limit": 1},
        {"logStreams": [{"logStreamName": f"{NAME}/algo-1-1764000000"}]},
    )
    with pytest.raises(jobs.JobFailed) as failure:
        jobs.is_complete(event("Create", Data={"JobName": NAME}), None)
    text = str(failure.value)
    assert reason in text
    assert f"/aws/sagemaker/TrainingJobs, stream {NAME}/algo-1-1764000000" in text


@pytest.mark.usefixtures("clients")
def test_a_stop_by_time_is_told_even_when_there_is_no_log(sagemaker: Scripted, logs: Scripted) -> None:
    stopped = described("Stopped", SecondaryStatus="MaxWaitTimeExceeded")
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, stopped)
    logs.refuse("describe_log_streams", "ResourceNotFoundException")
    with pytest.raises(jobs.JobFailed, match="MaxWaitTimeExceeded"):
        jobs.is_complete(event("Create", Data={"JobName": NAME}), None)


@pytest.mark.usefixtures("clients")
def test_delete_stops_the_running_jobs_of_this_stack_only(sagemaker: Scripted) -> None:
    other_stack = "sandcastle-local--bank--01234567-ffffffff"
    expect_busy(sagemaker, [NAME, other_stack], [f"{NAME}-2"])
    sagemaker.reply("stop_training_job", {"TrainingJobName": NAME})
    sagemaker.refuse("stop_training_job", "ValidationException", "The job is in status Stopping.")
    sagemaker.reply("describe_training_job", {"TrainingJobName": f"{NAME}-2"}, described("Stopping", f"{NAME}-2"))
    reply = jobs.on_event(event("Delete", PhysicalResourceId="the-same"), None)
    assert reply == {"PhysicalResourceId": "the-same"}


@pytest.mark.usefixtures("clients")
def test_delete_is_complete_only_when_nothing_runs_and_stops_late_starters(sagemaker: Scripted) -> None:
    expect_busy(sagemaker, [NAME])
    sagemaker.reply("stop_training_job", {"TrainingJobName": NAME})
    assert jobs.is_complete(event("Delete"), None) == {"IsComplete": False}
    expect_busy(sagemaker, [], [NAME])
    sagemaker.reply("stop_training_job", {"TrainingJobName": NAME})
    assert jobs.is_complete(event("Delete"), None) == {"IsComplete": False}
    expect_busy(sagemaker, [])
    assert jobs.is_complete(event("Delete"), None) == {"IsComplete": True}


def test_a_stop_that_is_refused_while_the_job_runs_is_an_error(sagemaker: Scripted) -> None:
    sagemaker.refuse("stop_training_job", "ValidationException", "something else")
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("InProgress"))
    with pytest.raises(ClientError, match="something else"):
        job_kinds.TrainingJobs(sagemaker.client).stop_if_running(NAME)


def test_processing_jobs_wear_the_same_face(sagemaker: Scripted) -> None:
    kind = job_kinds.ProcessingJobs(sagemaker.client)
    sagemaker.refuse("describe_processing_job", "ValidationException", "Could not find requested job with name: x")
    assert kind.find("x") is None
    answer = {
        "ProcessingJobName": "x",
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/x",
        "ProcessingJobStatus": "Failed",
        "ExitMessage": "no such column",
        "FailureReason": "AlgorithmError: exit code 1",
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "CreationTime": 0,
    }
    sagemaker.reply("describe_processing_job", {"ProcessingJobName": "x"}, answer)
    state = kind.find("x")
    assert state == job_kinds.JobState("x", "Failed", "no such column", "AlgorithmError: exit code 1")


def test_other_validation_errors_are_not_taken_for_a_missing_job(sagemaker: Scripted) -> None:
    sagemaker.refuse("describe_training_job", "ValidationException", "1 validation error detected")
    with pytest.raises(ClientError, match="1 validation error"):
        job_kinds.TrainingJobs(sagemaker.client).find(NAME)


def test_names_stay_within_sagemakers_limit_for_the_longest_names_allowed() -> None:
    from sandcastle.config.checks import LONGEST_NAMES

    longest = {**PROPERTIES, "JobPrefix": "sandcastle-" + "e" * (LONGEST_NAMES - 5) + "--" + "w" * 5 + "-"}
    assert len(jobs.job_name(longest, jobs.ATTEMPTS)) == 63
