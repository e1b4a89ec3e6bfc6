"""Tuning jobs behind the same face: their names, how far they are, the best model, and what is told of a failure."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import jobs
import pytest
from botocore.exceptions import ClientError
from job_failures import LINES
from job_kinds import JobState
from ours import Ours
from tuning_jobs import TuningJobs

from tests.functions.conftest import Scripted
from tests.functions.training import ARTIFACT, FINGERPRINT, described, event, expect_stack

PREFIX = f"sc-{hashlib.sha256(b'local').hexdigest()[:6]}-{hashlib.sha256(b'bank').hexdigest()[:4]}"
NAME = f"{PREFIX}-01234567-5f0c2-01"
BEST = f"{NAME}-003-0f0444b1"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/x"
NOT_FOUND = ("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {NAME}.")
CONFIG = {"Strategy": "Random", "ResourceLimits": {"MaxNumberOfTrainingJobs": 9, "MaxParallelTrainingJobs": 3}}
REQUEST = {"HyperParameterTuningJobConfig": CONFIG}
PROPERTIES = {
    "Kind": "tuning",
    "JobPrefix": "sandcastle-local--bank-",
    "TuningPrefix": PREFIX,
    "StackPart": "5f0c2a10",
    "Fingerprint": FINGERPRINT,
    "Result": f"s3://models/bank/{FINGERPRINT}",
    "Request": json.dumps(REQUEST),
}
FOUND = {
    "TrainingJobName": BEST,
    "TrainingJobArn": ARN,
    "CreationTime": 0,
    "TrainingJobStatus": "Completed",
    "TunedHyperParameters": {"eta": "0.3"},
    "FinalHyperParameterTuningJobObjectiveMetric": {
        "Type": "Maximize",
        "MetricName": "validation:auc",
        "Value": 0.9312345678,
    },
}


def answer(status: str, **more: Any) -> dict[str, Any]:
    counts = {"Completed": 4, "InProgress": 3, "RetryableError": 0, "NonRetryableError": 1, "Stopped": 0}
    return {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobArn": ARN,
        "HyperParameterTuningJobConfig": CONFIG,
        "HyperParameterTuningJobStatus": status,
        "CreationTime": 0,
        "TrainingJobStatusCounters": counts,
        "ObjectiveStatusCounters": {"Succeeded": 4, "Pending": 3, "Failed": 1},
        **more,
    }


def expect_look(sagemaker: Scripted, status: str, **more: Any) -> None:
    sagemaker.reply(
        "describe_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": NAME}, answer(status, **more)
    )


def expect_busy(sagemaker: Scripted, *names: str) -> None:
    for status, found in (("InProgress", names), ("Stopping", ())):
        summary = {
            "HyperParameterTuningJobArn": ARN,
            "HyperParameterTuningJobStatus": status,
            "Strategy": "Random",
            "CreationTime": 0,
            "TrainingJobStatusCounters": {},
            "ObjectiveStatusCounters": {},
        }
        sagemaker.reply(
            "list_hyper_parameter_tuning_jobs",
            {"NameContains": PREFIX, "StatusEquals": status},
            {"HyperParameterTuningJobSummaries": [{"HyperParameterTuningJobName": name, **summary} for name in found]},
        )


def on_the_way(request: str) -> dict[str, Any]:
    return event(request, ResourceProperties=PROPERTIES, Data={"JobName": NAME, "Since": int(time.time())})


def test_names_lead_back_to_the_workload_and_leave_room_for_training_jobs() -> None:
    from sandcastle import tuning_names

    assert tuning_names.of_workload("local", "bank") == PREFIX
    assert PREFIX.startswith(tuning_names.of_environment("local"))
    assert Ours(None, "local").tuning_prefix == tuning_names.of_environment("local")
    assert TuningJobs(None).name(PROPERTIES, 1) == NAME
    assert len(TuningJobs(None).name(PROPERTIES, jobs.ATTEMPTS)) == 32


@pytest.mark.usefixtures("clients")
def test_create_starts_a_tuning_job(sagemaker: Scripted, stacks: Scripted) -> None:
    expect_stack(stacks, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    sagemaker.refuse("describe_hyper_parameter_tuning_job", *NOT_FOUND)
    created = {"HyperParameterTuningJobArn": ARN}
    sagemaker.reply("create_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": NAME, **REQUEST}, created)
    started = jobs.on_event(on_the_way("Create"), None)
    assert started["Data"]["JobName"] == NAME
    assert started["PhysicalResourceId"] == "sandcastle-local--bank--tuning-5f0c2a10"


@pytest.mark.usefixtures("clients")
def test_a_finished_search_of_the_same_fingerprint_is_used_again(
    sagemaker: Scripted, s3: Scripted, stacks: Scripted
) -> None:
    expect_stack(stacks, "UPDATE_IN_PROGRESS")
    expect_busy(sagemaker)
    expect_look(sagemaker, "Completed", BestTrainingJob=FOUND)
    sagemaker.reply("describe_training_job", {"TrainingJobName": BEST}, described("Completed", BEST))
    s3.stub.add_response("list_objects_v2", {"KeyCount": 1})
    assert jobs.on_event(on_the_way("Update"), None)["Data"]["JobName"] == NAME


@pytest.mark.usefixtures("clients")
def test_a_search_that_failed_is_followed_by_another_one(sagemaker: Scripted, stacks: Scripted) -> None:
    expect_stack(stacks, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    expect_look(sagemaker, "Failed")
    sagemaker.refuse("describe_hyper_parameter_tuning_job", *NOT_FOUND)
    second = f"{NAME[:-2]}02"
    sagemaker.reply(
        "create_hyper_parameter_tuning_job",
        {"HyperParameterTuningJobName": second, **REQUEST},
        {"HyperParameterTuningJobArn": ARN},
    )
    assert jobs.on_event(on_the_way("Create"), None)["Data"]["JobName"] == second


@pytest.mark.usefixtures("clients")
def test_how_far_it_is_stands_in_the_functions_log(sagemaker: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    expect_look(sagemaker, "InProgress", BestTrainingJob=FOUND)
    assert jobs.is_complete(on_the_way("Create"), None) == {"IsComplete": False}
    assert capsys.readouterr().out == (
        f"Tuning job {NAME} InProgress: 4 of 9 training jobs completed, 3 in progress, 1 failed; "
        f"best so far validation:auc = 0.931235 ({BEST})\n"
    )


@pytest.mark.usefixtures("clients")
def test_the_best_training_jobs_model_is_the_result(sagemaker: Scripted) -> None:
    expect_look(sagemaker, "Completed", BestTrainingJob=FOUND)
    sagemaker.reply("describe_training_job", {"TrainingJobName": BEST}, described("Completed", BEST))
    assert jobs.is_complete(on_the_way("Create"), None) == {
        "IsComplete": True,
        "Data": {"JobName": BEST, "Result": ARTIFACT, "TuningJob": NAME, "Objective": "validation:auc = 0.931235"},
    }


def expect_failed_training_jobs(sagemaker: Scripted, *found: dict[str, Any]) -> None:
    request = {
        "HyperParameterTuningJobName": NAME,
        "StatusEquals": "Failed",
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "MaxResults": 1,
    }
    sagemaker.reply("list_training_jobs_for_hyper_parameter_tuning_job", request, {"TrainingJobSummaries": list(found)})


@pytest.mark.usefixtures("clients")
def test_a_failure_is_told_with_the_reason_and_log_of_a_training_job_that_failed(
    sagemaker: Scripted, logs: Scripted
) -> None:
    expect_look(sagemaker, "Failed", FailureReason="No training job succeeded after 5 attempts.")
    first, stream = f"{NAME}-001-aaaaaaaa", f"{NAME}-001-aaaaaaaa/algo-1-1"
    failed = {**FOUND, "TrainingJobName": first, "TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: eta"}
    expect_failed_training_jobs(sagemaker, failed)
    group = "/aws/sagemaker/TrainingJobs"
    logs.reply(
        "describe_log_streams",
        {"logGroupName": group, "logStreamNamePrefix": f"{first}/", "limit": 1},
        {"logStreams": [{"logStreamName": stream}]},
    )
    logs.reply(
        "get_log_events",
        {"logGroupName": group, "logStreamName": stream, "limit": LINES, "startFromHead": False},
        {"events": [{"timestamp": 0, "message": "eta must be below 1"}]},
    )
    with pytest.raises(jobs.JobFailed) as told:
        jobs.is_complete(on_the_way("Create"), None)
    assert str(told.value) == (
        f"Tuning job {NAME} Failed: No training job succeeded after 5 attempts. "
        "(4 of 9 training jobs completed, 3 in progress, 1 failed) "
        f"Training job {first} Failed: AlgorithmError: eta "
        f"Log: {group}, stream {stream}; it ended:\neta must be below 1"
    )


@pytest.mark.usefixtures("clients")
def test_a_search_without_any_usable_model_has_failed(sagemaker: Scripted, logs: Scripted) -> None:
    expect_look(sagemaker, "Completed")
    expect_failed_training_jobs(sagemaker)
    logs.stub.add_response("describe_log_streams", {"logStreams": []})
    with pytest.raises(jobs.JobFailed, match=r"no training job reported the objective.*the job never started"):
        jobs.is_complete(on_the_way("Create"), None)


@pytest.mark.usefixtures("clients")
def test_training_jobs_that_may_not_be_listed_hide_no_reason(sagemaker: Scripted) -> None:
    expect_look(sagemaker, "Failed", FailureReason="the reason")
    sagemaker.refuse("list_training_jobs_for_hyper_parameter_tuning_job", "AccessDeniedException")
    with pytest.raises(jobs.JobFailed, match=r"the reason.*its training jobs not listed: AccessDeniedException"):
        jobs.is_complete(on_the_way("Create"), None)


def test_the_longest_failure_fits_into_cloudformations_answer(sagemaker: Scripted, logs: Scripted) -> None:
    from job_failures import failure_text

    failed = {**FOUND, "TrainingJobStatus": "Failed", "FailureReason": "r" * 1024}
    expect_failed_training_jobs(sagemaker, failed)
    logs.stub.add_response("describe_log_streams", {"logStreams": [{"logStreamName": f"{BEST}/algo-1-1"}]})
    lines = [{"timestamp": 0, "message": "\U0001f600" * 500}] * LINES
    logs.stub.add_response("get_log_events", {"events": lines})
    text = failure_text(TuningJobs(sagemaker.client), logs.client, JobState(NAME, "Failed", "d" * 300, "r" * 1024))
    assert len(json.dumps(text)) < 4096 - 500


@pytest.mark.usefixtures("clients")
def test_delete_stops_this_stacks_tuning_jobs_and_no_others(sagemaker: Scripted) -> None:
    other_stack, by_hand = f"{PREFIX}-01234567-fffff-01", f"{PREFIX}-01234567-0badcafe"
    expect_busy(sagemaker, NAME, other_stack, by_hand)
    sagemaker.reply("stop_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": NAME})
    assert jobs.is_complete(on_the_way("Delete"), None) == {"IsComplete": False}
    expect_busy(sagemaker)
    assert jobs.is_complete(on_the_way("Delete"), None) == {"IsComplete": True}


def test_stopping_one_that_has_ended_or_gone_is_no_error(sagemaker: Scripted) -> None:
    sagemaker.refuse("stop_hyper_parameter_tuning_job", "ValidationException", "is in status Completed")
    expect_look(sagemaker, "Completed", BestTrainingJob=FOUND)
    sagemaker.reply("describe_training_job", {"TrainingJobName": BEST}, described("Completed", BEST))
    TuningJobs(sagemaker.client).stop_if_running(NAME)
    sagemaker.refuse("stop_hyper_parameter_tuning_job", *NOT_FOUND)
    sagemaker.refuse("describe_hyper_parameter_tuning_job", *NOT_FOUND)
    TuningJobs(sagemaker.client).stop_if_running(NAME)
    sagemaker.refuse("stop_hyper_parameter_tuning_job", "ValidationException", "something else")
    expect_look(sagemaker, "InProgress")
    with pytest.raises(ClientError, match="something else"):
        TuningJobs(sagemaker.client).stop_if_running(NAME)
