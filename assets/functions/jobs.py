"""Datasets and trained models as custom resources: a SageMaker job is started, waited for, and stopped on deletion.

Entry points for CDK's Provider framework: it calls ``on_event`` once per change and ``is_complete`` every few
seconds until that says so, for up to an hour. Resource properties:

    Kind         training | processing
    JobPrefix    what all names of the workload's jobs start with
    Fingerprint  hexadecimal; the same fingerprint means the same result
    StackPart    a short text of its own for each stack that was ever created
    Result       the folder in S3 that the job fills
    Request      the request to SageMaker without the job's name, as JSON text (CloudFormation would turn its
                 numbers into text)

A finished job with the same fingerprint is used again if its result is still there. The physical id never changes:
a new fingerprint is an update of the same resource, and a roll-back finds the old job.
"""

from __future__ import annotations

import json
import time
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError
from job_kinds import KINDS, Jobs, JobState

ATTEMPTS = 99
"""Jobs keep their names for ever, so that each failure uses one up."""

ROLE_WAIT_SECONDS = 90.0
"""How long a role may take until SageMaker can assume it; IAM usually needs some ten seconds after creation."""

PAUSE_SECONDS = 5.0


class JobFailed(Exception):
    """The job did not complete. The text reaches the stack's events."""


def on_event(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Start or find the job (Create, Update), or ask all running ones to stop (Delete)."""
    properties = event["ResourceProperties"]
    jobs = KINDS[properties["Kind"]](client("sagemaker"))
    physical_id = f"{properties['JobPrefix']}-{properties['Kind']}-{properties['StackPart']}"
    if event["RequestType"] == "Delete":
        stop_all(jobs, properties)
        return {"PhysicalResourceId": event["PhysicalResourceId"]}
    job = find_or_start(jobs, client("s3"), properties)
    return {"PhysicalResourceId": physical_id, "Data": {"JobName": job}}


def is_complete(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Say whether the job has completed or, on Delete, whether all have ended. Raises JobFailed."""
    properties = event["ResourceProperties"]
    jobs = KINDS[properties["Kind"]](client("sagemaker"))
    if event["RequestType"] == "Delete":
        # Listed anew each time: a creation that was cancelled may start its job after the first look.
        return {"IsComplete": not stop_all(jobs, properties)}
    state = jobs.look(event["Data"]["JobName"])
    if state.busy:
        return {"IsComplete": False}
    if state.status != "Completed":
        raise JobFailed(failure_text(jobs, client("logs"), state))
    return {"IsComplete": True, "Data": {"JobName": state.name, "Result": result_of(state, properties)}}


def job_name(properties: dict[str, Any], attempt: int) -> str:
    """Return the name of the fingerprint's n-th job in this stack, at most 63 characters by the rules of names."""
    name = f"{properties['JobPrefix']}-{properties['Fingerprint'][:8]}-{properties['StackPart']}"
    return name if attempt == 1 else f"{name}-{attempt}"


def find_or_start(jobs: Jobs, s3: Any, properties: dict[str, Any]) -> str:
    """Return the name of a job that made, or is making, or now begins to make the result.

    Raises JobFailed when all names are used up, ClientError when SageMaker refuses the request.
    """
    for attempt in range(1, ATTEMPTS + 1):
        name = job_name(properties, attempt)
        state = jobs.find(name)
        if state is None:
            start(jobs, name, json.loads(properties["Request"]))
            return name
        done = state.status == "Completed" and has_result(s3, result_of(state, properties))
        if done or state.status == "InProgress":
            print(f"{jobs.word} {name} is {state.status}: used again")
            return name
    raise JobFailed(f"{jobs.word} {job_name(properties, 1)} failed {ATTEMPTS} times: change something before the next")


def start(jobs: Jobs, name: str, request: dict[str, Any]) -> None:
    """Start the job, waiting for its role to be known everywhere. A job of that name that exists is the same job."""
    deadline = time.monotonic() + ROLE_WAIT_SECONDS
    while True:
        try:
            jobs.create(name, request)
            return
        except ClientError as error:
            if code_of(error) == "ResourceInUse":  # this event was delivered twice
                return
            if "assume" not in text_of(error).lower() or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def result_of(state: JobState, properties: dict[str, Any]) -> str:
    """Return the address of the job's result: a model's archive, else the folder that the job filled."""
    return state.artifact or str(properties["Result"])


def has_result(s3: Any, address: str) -> bool:
    """Say whether anything lies at the S3 address: someone may have emptied the bucket."""
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    reply = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return bool(reply.get("KeyCount", 0))


def stop_all(jobs: Jobs, properties: dict[str, Any]) -> list[str]:
    """Ask every job of this stack that still runs to stop; return their names."""
    running = [name for name in jobs.busy(properties["JobPrefix"]) if f"-{properties['StackPart']}" in name]
    for name in running:
        jobs.stop_if_running(name)
    return running


def failure_text(jobs: Jobs, logs: Any, state: JobState) -> str:
    """Return what went wrong in SageMaker's own words, and where the log is."""
    reason = state.reason or state.detail or "SageMaker gave no reason"
    text = f"{jobs.word} {state.name} {state.status}: {reason}"
    if state.detail and state.detail not in (state.status, reason):
        text += f" ({state.detail})"
    return f"{text} Log: {jobs.log_group}, {log_stream(logs, jobs.log_group, state.name)}"


def log_stream(logs: Any, group: str, job: str) -> str:
    """Return the words that lead to the job's log stream."""
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/", limit=1)["logStreams"]
    except ClientError as error:
        return f"streams {job}/* (not listed: {code_of(error)})"
    return f"stream {streams[0]['logStreamName']}" if streams else "no stream: the job never started"
