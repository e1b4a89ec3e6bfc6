"""What is told of a job that failed: SageMaker's reason, where the log is, and the log's end.

The log's end is told because a roll-back deletes the log stream that the text names.
"""

from __future__ import annotations

import json
from typing import Any

from aws import code_of
from botocore.exceptions import BotoCoreError, ClientError
from job_kinds import Jobs, JobState

LINES = 20

LONGEST_END = 1300
"""Bytes of JSON. CloudFormation takes 4096 for the whole answer, and CDK's framework adds its own lines."""

LONGEST_REASON = 1100
"""Characters; SageMaker's reasons have at most 1024. Half of one more and a log's end fit beside it."""


def failure_text(jobs: Jobs, logs: Any, state: JobState) -> str:
    """Return what went wrong in SageMaker's own words, where the log is, and how it ended."""
    reason = state.reason or state.detail or "SageMaker gave no reason"
    text = f"{jobs.word} {state.name} {state.status}: {reason[:LONGEST_REASON]}"
    if state.detail and state.detail not in (state.status, reason):
        text += f" ({state.detail[: LONGEST_REASON // 4]})"
    try:
        told = jobs.suspect(state)
    except (BotoCoreError, ClientError) as error:
        return f"{text} Log: {jobs.log_group} (its training jobs not listed: {_short(error)})"
    if told is not state:
        text += f" Training job {told.name} {told.status}: {told.reason[: LONGEST_REASON // 2]}"
    return text + _log_of(jobs, logs, told)


def _log_of(jobs: Jobs, logs: Any, state: JobState) -> str:
    try:
        stream = first_stream(logs, jobs.log_group, state.name)
    except (BotoCoreError, ClientError) as error:
        return f" Log: {jobs.log_group}, streams {state.name}/* (not listed: {_short(error)})"
    if not stream:
        return f" Log: {jobs.log_group}, no stream: the job never started"
    return f" Log: {jobs.log_group}, stream {stream}{_how_it_ended(logs, jobs.log_group, stream)}"


def first_stream(logs: Any, group: str, job: str) -> str:
    """Return the name of the job's log stream, empty when there is none. Raises ClientError."""
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/", limit=1)["logStreams"]
    return str(streams[0]["logStreamName"]) if streams else ""


def end_of_log(logs: Any, group: str, stream: str) -> str:
    """Return the stream's last lines, the oldest of them cut off where they are too long. Raises ClientError."""
    reply = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=LINES, startFromHead=False)
    text = "\n".join(event["message"].rstrip() for event in reply["events"])[-LONGEST_END:]
    while len(json.dumps(text)) > LONGEST_END:  # a line's end has two bytes in JSON, other characters up to twelve
        text = text[max(1, (len(json.dumps(text)) - LONGEST_END) // 12) :]
    return text


def _how_it_ended(logs: Any, group: str, stream: str) -> str:
    try:
        end = end_of_log(logs, group, stream)
    except (BotoCoreError, ClientError) as error:
        return f" (not read: {_short(error)})"
    return f"; it ended:\n{end}" if end else ""


def _short(error: BotoCoreError | ClientError) -> str:
    return code_of(error) if isinstance(error, ClientError) else type(error).__name__
