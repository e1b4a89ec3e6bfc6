"""What is told of a failed job: the reason, where the log is, how the log ended, and that it fits into an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from job_failures import LINES, LONGEST_END, failure_text
from job_kinds import JobState, TrainingJobs

from tests.functions.conftest import Scripted

GROUP = "/aws/sagemaker/TrainingJobs"
JOB = "sandcastle-local--bank--01234567-5f0c2a10"
STREAM = f"{JOB}/algo-1-1764000000"
FAILED = JobState(JOB, "Failed", reason="AlgorithmError: label column is empty, exit code: 1")


def expect_log(logs: Scripted, *lines: str) -> None:
    request: dict[str, Any] = {"logGroupName": GROUP, "logStreamNamePrefix": f"{JOB}/", "limit": 1}
    logs.reply("describe_log_streams", request, {"logStreams": [{"logStreamName": STREAM}]})
    request = {"logGroupName": GROUP, "logStreamName": STREAM, "limit": LINES, "startFromHead": False}
    logs.reply("get_log_events", request, {"events": [{"timestamp": 0, "message": line} for line in lines]})


def told(logs: Scripted, state: JobState = FAILED) -> str:
    return failure_text(TrainingJobs(None), logs.client, state)


def test_reason_group_and_stream_come_before_the_logs_end(logs: Scripted) -> None:
    expect_log(logs, "reading\n", "ValueError: no label")
    assert told(logs) == (
        f"Training job {JOB} Failed: {FAILED.reason} Log: {GROUP}, stream {STREAM}; it ended:\n"
        "reading\nValueError: no label"
    )


@pytest.mark.parametrize("letter", ["x", "\n", "\u00e9", "\U0001f600"])
def test_the_longest_failure_fits_into_cloudformations_answer(logs: Scripted, letter: str) -> None:
    expect_log(logs, *(letter * 500 + "." for _ in range(LINES - 1)), "the last line")
    text = told(logs, JobState(JOB, "Failed", "d" * 1024, "r" * 1024))
    assert text.endswith("the last line")
    end = text.partition("it ended:\n")[2]
    assert LONGEST_END / 2 < len(json.dumps(end)) <= LONGEST_END
    # CDK's framework adds its stack trace and log group, the answer its five names: about a kilobyte.
    assert len(json.dumps(text)) < 4096 - 1200


def test_an_empty_log_adds_nothing(logs: Scripted) -> None:
    expect_log(logs)
    assert told(logs).endswith(f"stream {STREAM}")


def test_a_log_that_may_not_be_read_hides_no_reason(logs: Scripted) -> None:
    logs.stub.add_response("describe_log_streams", {"logStreams": [{"logStreamName": STREAM}]})
    logs.refuse("get_log_events", "AccessDeniedException")
    assert told(logs).endswith(f"{FAILED.reason} Log: {GROUP}, stream {STREAM} (not read: AccessDeniedException)")


def test_a_stop_by_time_is_told_even_when_there_is_no_log(logs: Scripted) -> None:
    logs.refuse("describe_log_streams", "ResourceNotFoundException")
    text = told(logs, JobState(JOB, "Stopped", "MaxWaitTimeExceeded"))
    assert "Stopped: MaxWaitTimeExceeded" in text
    assert f"{GROUP}, streams {JOB}/* (not listed: ResourceNotFoundException)" in text


def test_a_job_without_a_stream_never_started(logs: Scripted) -> None:
    logs.stub.add_response("describe_log_streams", {"logStreams": []})
    assert told(logs).endswith("no stream: the job never started")
