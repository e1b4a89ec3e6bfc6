"""Datasets and trained models: started once, found again, stopped, and their failures told."""

from __future__ import annotations

import json
from collections.abc import Callable

import job_kinds
import jobs
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from tests.functions.conftest import Scripted
from tests.functions.training import (
    ARTIFACT,
    CREATED,
    FINGERPRINT,
    NAME,
    NOT_FOUND,
    PROPERTIES,
    REQUEST,
    deployment,
    described,
    event,
    expect_busy,
    expect_stack,
    started,
)


@pytest.mark.usefixtures("clients")
def test_create_starts_a_job_with_the_request_as_it_was_written(
    sagemaker: Scripted, stacks: Scripted, now: list[float]
) -> None:
    expect_stack(stacks, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    assert jobs.on_event(event("Create"), None) == {
        "PhysicalResourceId": "sandcastle-local--bank--training-5f0c2a10",
        "Data": {"JobName": NAME, "Since": int(now[0])},
    }


@pytest.mark.usefixtures("clients")
def test_same_fingerprint_uses_the_finished_job_again(sagemaker: Scripted, s3: Scripted, stacks: Scripted) -> None:
    expect_stack(stacks, "UPDATE_IN_PROGRESS")
    expect_busy(sagemaker, [])
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    prefix = f"bank/{FINGERPRINT}/{NAME}/output/model.tar.gz"
    s3.reply("list_objects_v2", {"Bucket": "models", "Prefix": prefix, "MaxKeys": 1}, {"KeyCount": 1})
    assert started(event("Update")) == NAME


@pytest.mark.usefixtures("clients")
def test_a_running_job_of_the_same_fingerprint_is_adopted(sagemaker: Scripted, stacks: Scripted) -> None:
    expect_stack(stacks, "CREATE_IN_PROGRESS")
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("InProgress"))
    assert started(event("Create")) == NAME


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("status", ["Failed", "Stopped", "Stopping"])
def test_a_job_that_did_not_complete_is_followed_by_another_attempt(
    sagemaker: Scripted, stacks: Scripted, status: str
) -> None:
    expect_stack(stacks, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described(status))
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    sagemaker.reply("create_training_job", {"TrainingJobName": f"{NAME}-2", **REQUEST}, CREATED)
    assert started(event("Create")) == f"{NAME}-2"


@pytest.mark.usefixtures("clients")
def test_a_finished_job_whose_result_was_deleted_is_run_again(
    sagemaker: Scripted, s3: Scripted, stacks: Scripted
) -> None:
    expect_stack(stacks, "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    expect_busy(sagemaker, [])
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    s3.stub.add_response("list_objects_v2", {"KeyCount": 0})
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    sagemaker.reply("create_training_job", {"TrainingJobName": f"{NAME}-2", **REQUEST}, CREATED)
    assert started(event("Update")) == f"{NAME}-2"


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_update_stops_jobs_of_other_fingerprints(
    sagemaker: Scripted, s3: Scripted, stacks: Scripted, status: str
) -> None:
    """A roll-back updates back while the new fingerprint's job runs."""
    expect_stack(stacks, status)
    new = "sandcastle-local--bank--fedcba98-5f0c2a10"
    other_stack = "sandcastle-local--bank--fedcba98-ffffffff"
    expect_busy(sagemaker, [NAME, f"{NAME}-2", new, f"{new}-2", other_stack])
    sagemaker.reply("stop_training_job", {"TrainingJobName": new})
    sagemaker.reply("stop_training_job", {"TrainingJobName": f"{new}-2"})
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    s3.stub.add_response("list_objects_v2", {"KeyCount": 1})
    assert started(event("Update")) == NAME


@pytest.mark.usefixtures("clients")
def test_update_leaves_the_jobs_of_the_stacks_other_trained_models_alone(
    sagemaker: Scripted, s3: Scripted, stacks: Scripted
) -> None:
    expect_stack(stacks, "UPDATE_IN_PROGRESS")
    sibling, former = (f"sandcastle-local--bank--{digits}-5f0c2a10" for digits in ("fedcba98", "aaaaaaaa"))
    expect_busy(sagemaker, [sibling, f"{sibling}-2", former])
    sagemaker.reply("stop_training_job", {"TrainingJobName": former})
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    s3.stub.add_response("list_objects_v2", {"KeyCount": 1})
    properties = {**PROPERTIES, "Variant": "challenger", "Siblings": ["fedcba9876543210"]}
    answer = jobs.on_event(event("Update", ResourceProperties=properties), None)
    assert answer["Data"]["JobName"] == NAME
    assert answer["PhysicalResourceId"] == "sandcastle-local--bank--training-5f0c2a10-challenger"


@pytest.mark.parametrize(
    ("request_type", "first", "then"),
    [
        ("Create", "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"),
        ("Create", "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"),
        ("Create", "CREATE_IN_PROGRESS", "CREATE_FAILED"),
        ("Create", "DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS"),
        ("Create", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"),
    ],
)
def test_a_job_that_starts_when_its_change_is_being_undone_is_stopped(
    sagemaker: Scripted, stacks: Scripted, request_type: str, first: str, then: str
) -> None:
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    sagemaker.reply("stop_training_job", {"TrainingJobName": NAME})
    change = deployment(stacks, first, then, request_type)
    with pytest.raises(jobs.JobFailed, match=f"the stack is {then}"):
        jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, change)


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("Create", "CREATE_IN_PROGRESS"),
        ("Create", "UPDATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS"),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS"),
    ],
)
def test_a_job_of_a_change_that_goes_on_runs(
    sagemaker: Scripted, stacks: Scripted, request_type: str, status: str
) -> None:
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    change = deployment(stacks, status, status, request_type)
    jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, change)


def test_a_job_is_stopped_when_nobody_can_say_whether_it_is_wanted(sagemaker: Scripted, stacks: Scripted) -> None:
    """The framework ignores the Delete after a Create that failed before it had a physical id."""
    change = deployment(stacks, "CREATE_IN_PROGRESS")
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    stacks.refuse("describe_stacks", "AccessDenied")
    sagemaker.reply("stop_training_job", {"TrainingJobName": NAME})
    with pytest.raises(ClientError, match="AccessDenied"):
        jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, change)


@pytest.mark.parametrize("uri", ["s3://models/bank/f/checkpoints", "s3://models/bank/f/checkpoints/"])
def test_each_job_keeps_its_own_checkpoints(uri: str) -> None:
    config = {"S3Uri": uri, "LocalPath": "/opt/ml/checkpoints"}
    properties = {**PROPERTIES, "Request": json.dumps({**REQUEST, "CheckpointConfig": config})}
    asked = jobs.request_of(properties, f"{NAME}-2")
    assert asked == {**REQUEST, "CheckpointConfig": {**config, "S3Uri": f"s3://models/bank/f/checkpoints/{NAME}-2"}}
    assert jobs.request_of(PROPERTIES, NAME) == REQUEST


NOT_IN_FORCE = [
    ("ValidationException", "Could not assume role arn:aws:iam::0:role/x"),
    ("ValidationException", "Please ensure that the role has s3:ListBucket permissions on bucket x"),
    ("ValidationException", "User is not authorized to perform s3:GetObject"),
    ("ValidationException", "Access denied for S3 URI s3://x"),
    ("AccessDeniedException", "User is not authorized to perform: iam:PassRole"),
]


@pytest.mark.parametrize(("code", "text"), NOT_IN_FORCE)
def test_a_new_role_is_waited_for(
    sagemaker: Scripted, stacks: Scripted, pauses: list[float], code: str, text: str
) -> None:
    change = deployment(stacks, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    for _ in range(3):
        sagemaker.refuse("create_training_job", code, text)
    sagemaker.reply("create_training_job", {"TrainingJobName": NAME, **REQUEST}, CREATED)
    jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, change)
    assert pauses == [jobs.PAUSE_SECONDS] * 3


def test_a_role_that_cannot_be_assumed_fails_in_the_end(
    sagemaker: Scripted, stacks: Scripted, pauses: list[float]
) -> None:
    for _ in range(int(jobs.ROLE_WAIT_SECONDS / jobs.PAUSE_SECONDS) + 2):
        sagemaker.refuse("create_training_job", "ValidationException", "Could not assume role")
    with pytest.raises(ClientError, match="Could not assume role"):
        jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, deployment(stacks, "CREATE_IN_PROGRESS"))
    assert sum(pauses) > jobs.ROLE_WAIT_SECONDS


def test_an_event_that_was_delivered_twice_starts_one_job(sagemaker: Scripted, stacks: Scripted) -> None:
    sagemaker.refuse("create_training_job", "ResourceInUse", "Job name must be unique")
    change = deployment(stacks, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, change)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ResourceLimitExceeded", "The account-level service limit is 0"),
        ("ValidationException", "1 validation error detected: InstanceType"),
        ("AccessDeniedException", "not authorized to perform X with an explicit deny in a service control policy"),
    ],
)
def test_a_refused_request_is_not_repeated(
    sagemaker: Scripted, stacks: Scripted, pauses: list[float], code: str, text: str
) -> None:
    change = deployment(stacks, "CREATE_IN_PROGRESS")
    sagemaker.refuse("create_training_job", code, text)
    with pytest.raises(ClientError, match=code):
        jobs.start(job_kinds.TrainingJobs(sagemaker.client), NAME, REQUEST, change)
    assert pauses == []


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_busy_job_is_not_complete(sagemaker: Scripted, status: str) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described(status))
    assert jobs.is_complete(event("Create"), None) == {"IsComplete": False}


@pytest.mark.usefixtures("clients")
def test_a_completed_job_gives_its_result(sagemaker: Scripted) -> None:
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Completed"))
    assert jobs.is_complete(event("Create"), None) == {
        "IsComplete": True,
        "Data": {"JobName": NAME, "Result": ARTIFACT},
    }


@pytest.mark.usefixtures("clients")
def test_a_job_that_failed_is_an_error_with_its_reason_and_log(sagemaker: Scripted, logs: Scripted) -> None:
    reason = "AlgorithmError: label column is empty, exit code: 1"
    sagemaker.reply("describe_training_job", {"TrainingJobName": NAME}, described("Failed", FailureReason=reason))
    logs.stub.add_response("describe_log_streams", {"logStreams": []})
    with pytest.raises(jobs.JobFailed, match=r"label column is empty.*/aws/sagemaker/TrainingJobs"):
        jobs.is_complete(event("Create"), None)


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 400), ("SomethingElse", 503), ("InternalFailure", 500), ("ServiceUnavailable", 503)],
)
@pytest.mark.parametrize(
    ("request_type", "call"), [("Create", "describe_training_job"), ("Delete", "list_training_jobs")]
)
def test_passing_trouble_is_no_failure(
    sagemaker: Scripted, code: str, status: int, request_type: str, call: str
) -> None:
    sagemaker.stub.add_client_error(call, code, http_status_code=status)
    assert jobs.is_complete(event(request_type), None) == {"IsComplete": False}


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("error", [ReadTimeoutError, ConnectTimeoutError])
def test_a_lost_connection_is_no_failure(monkeypatch: pytest.MonkeyPatch, error: Callable[..., Exception]) -> None:
    def look(self: job_kinds.Jobs, name: str) -> None:
        raise error(endpoint_url="https://sagemaker")

    monkeypatch.setattr(job_kinds.TrainingJobs, "look", look)
    assert jobs.is_complete(event("Create"), None) == {"IsComplete": False}


@pytest.mark.usefixtures("clients")
def test_a_job_just_accepted_may_be_unknown_for_a_while(sagemaker: Scripted, now: list[float]) -> None:
    young = event("Create")
    now[0] += jobs.NEW_JOB_SECONDS - 1
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    assert jobs.is_complete(young, None) == {"IsComplete": False}
    now[0] += 2
    sagemaker.refuse("describe_training_job", *NOT_FOUND)
    with pytest.raises(ClientError, match="not found"):
        jobs.is_complete(young, None)


@pytest.mark.usefixtures("clients")
def test_lasting_trouble_is_a_failure(sagemaker: Scripted) -> None:
    sagemaker.refuse("describe_training_job", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        jobs.is_complete(event("Create"), None)


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(
    ("request_type", "data", "call", "what"),
    [
        ("Create", {"JobName": NAME}, "describe_training_job", NAME),
        ("Delete", {}, "list_training_jobs", "stopping all jobs"),
    ],
)
def test_waiting_ends_before_cloudformation_gives_up(
    sagemaker: Scripted, now: list[float], request_type: str, data: dict[str, str], call: str, what: str
) -> None:
    old = event(request_type, Data={**data, "Since": int(now[0])})
    now[0] += jobs.LONGEST_WAIT_SECONDS + 1
    sagemaker.refuse(call, "ThrottlingException")
    with pytest.raises(jobs.JobFailed, match=f"Operation timed out after 54 minutes: {what}"):
        jobs.is_complete(old, None)


def test_the_longest_job_allowed_can_be_waited_for() -> None:
    from sandcastle.config.checks import LONGEST_JOB_MINUTES
    from sandcastle.job_provider import WAIT_MINUTES

    assert LONGEST_JOB_MINUTES * 60 < jobs.LONGEST_WAIT_SECONDS < (WAIT_MINUTES - 5) * 60


@pytest.mark.usefixtures("clients")
def test_delete_stops_the_running_jobs_of_this_stack_only(sagemaker: Scripted) -> None:
    other_stack = "sandcastle-local--bank--01234567-ffffffff"
    expect_busy(sagemaker, [NAME, other_stack], [f"{NAME}-2"])
    sagemaker.reply("stop_training_job", {"TrainingJobName": NAME})
    sagemaker.refuse("stop_training_job", "ValidationException", "The job is in status Stopping.")
    sagemaker.reply("describe_training_job", {"TrainingJobName": f"{NAME}-2"}, described("Stopping", f"{NAME}-2"))
    delete = event("Delete", PhysicalResourceId="the-same")
    assert jobs.on_event(delete, None)["PhysicalResourceId"] == "the-same"
    assert jobs.is_complete(delete, None) == {"IsComplete": False}


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
    assert len(job_kinds.TrainingJobs(None).name(longest, jobs.ATTEMPTS)) == 63
