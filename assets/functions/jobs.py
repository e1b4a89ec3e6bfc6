"""Datasets and trained models as custom resources: a SageMaker job is started, waited for, and stopped on deletion.

Entry points for CDK's Provider framework: it calls ``on_event`` once per change and then ``is_complete`` every few
seconds until that says so. The framework reports every error of theirs to CloudFormation at once as the end of the
change, so that ``is_complete`` answers "not yet" to what passes. Resource properties:

    Kind         training | tuning | processing
    Variant      which of the stack's trained models it is, for more than one
    JobPrefix    what all names of the workload's jobs start with
    TuningPrefix the same for tuning jobs, whose names are shorter
    Fingerprint  hexadecimal; the same fingerprint means the same result
    StackPart    a short text of its own for each stack that was ever created
    Siblings     fingerprints of the stack's other trained models, whose jobs are none of this one's business
    Result       the folder in S3 that the job fills
    Request      the request to SageMaker without the job's name, as JSON text (CloudFormation would turn its
                 numbers into text)

A finished job with the same fingerprint is used again if its result is still there. The physical id changes with the
kind only: a new fingerprint is an update of the same resource, and a roll-back finds the old job.
"""

from __future__ import annotations

import json
import time
from typing import Any

from aws import client, code_of, is_passing, text_of
from botocore.exceptions import BotoCoreError, ClientError
from deployment import Deployment
from job_failures import failure_text
from job_kinds import Jobs, JobState, ProcessingJobs, TrainingJobs, is_not_found
from tuning_jobs import TuningJobs

KINDS: dict[str, type[Jobs]] = {"training": TrainingJobs, "tuning": TuningJobs, "processing": ProcessingJobs}

ATTEMPTS = 99
"""Jobs keep their names for ever, so that each failure uses one up."""

ROLE_WAIT_SECONDS = 90.0
"""How long a role may take until SageMaker can use it; IAM usually needs some ten seconds after creation."""

PAUSE_SECONDS = 5.0

NEW_JOB_SECONDS = 120.0
"""How long SageMaker may say that it does not know a job which it has just accepted."""

LONGEST_WAIT_SECONDS = 54 * 60.0
"""From the event's arrival on. CloudFormation gives up after 60 minutes without a word about what was waited for; the
longest job that an environment file may ask for runs 50."""

CALL_ATTEMPTS = 4
"""Four calls that get no answer still fit into the functions' time. ``is_complete`` is called again anyhow."""

_ROLE_NOT_YET = ("assume", "s3:listbucket", "permission", "not authorized", "access denied", "accessdenied")
"""Words of SageMaker's refusals when IAM has not spread a new role or its permissions yet."""


class JobFailed(Exception):
    """The job did not complete. The text reaches the stack's events."""


def on_event(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Start or find the job, stopping those of another fingerprint (Create, Update). On Delete: see ``is_complete``."""
    since = int(time.time())
    if event["RequestType"] == "Delete":
        return {"PhysicalResourceId": event["PhysicalResourceId"], "Data": {"Since": since}}
    deployment = Deployment(_client("cloudformation"), event["StackId"], event["RequestType"])
    properties = event["ResourceProperties"]
    jobs = KINDS[properties["Kind"]](_client("sagemaker"))
    if event["RequestType"] == "Update":
        stop_others(jobs, properties)
    job = find_or_start(jobs, _client("s3"), properties, deployment)
    variant = f"-{properties['Variant']}" if properties.get("Variant") else ""
    physical_id = f"{properties['JobPrefix']}-{properties['Kind']}-{properties['StackPart']}{variant}"
    return {"PhysicalResourceId": physical_id, "Data": {"JobName": job, "Since": since}}


def is_complete(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Say whether the job has completed or, on Delete, ask all running ones to stop and say whether all have ended.

    Raises JobFailed for a job that did not complete and when it takes too long, ClientError for what does not pass.
    """
    waited = time.time() - event["Data"]["Since"]
    try:
        answer = _look(event)
    except (BotoCoreError, ClientError) as error:
        young = waited < NEW_JOB_SECONDS and isinstance(error, ClientError) and is_not_found(error)
        if not is_passing(error) and not young:
            raise
        print(f"asked again later: {error}")
        answer = {"IsComplete": False}
    if not answer["IsComplete"] and waited > LONGEST_WAIT_SECONDS:
        what = event["Data"].get("JobName", "stopping all jobs")
        raise JobFailed(f"Operation timed out after {LONGEST_WAIT_SECONDS / 60:.0f} minutes: {what} has not ended")
    return answer


def _look(event: dict[str, Any]) -> dict[str, Any]:
    properties = event["ResourceProperties"]
    jobs = KINDS[properties["Kind"]](_client("sagemaker"))
    if event["RequestType"] == "Delete":
        # Listed anew each time: a creation that was cancelled may start its job after the first look.
        return {"IsComplete": not stop_all(jobs, properties)}
    state = jobs.look(event["Data"]["JobName"])
    if state.busy:
        print(f"{jobs.word} {state.name} {state.status}: {state.detail}")
        return {"IsComplete": False}
    if state.status != "Completed":
        raise JobFailed(failure_text(jobs, _client("logs"), state))
    data = {"JobName": state.best or state.name, "Result": result_of(state, properties)}
    if state.best:
        data |= {"TuningJob": state.name, "Objective": state.objective}
    return {"IsComplete": True, "Data": data}


def _client(service: str) -> Any:
    return client(service, CALL_ATTEMPTS)


def find_or_start(jobs: Jobs, s3: Any, properties: dict[str, Any], deployment: Deployment) -> str:
    """Return the name of a job that made, or is making, or now begins to make the result.

    Raises JobFailed when all names are used up or the stack is being undone, ClientError when SageMaker refuses.
    """
    for attempt in range(1, ATTEMPTS + 1):
        name = jobs.name(properties, attempt)
        state = jobs.find(name)
        if state is None:
            start(jobs, name, request_of(properties, name), deployment)
            return name
        done = state.status == "Completed" and has_result(s3, result_of(state, properties))
        if done or state.status == "InProgress":
            print(f"{jobs.word} {name} is {state.status}: used again")
            return name
    raise JobFailed(f"{jobs.word} {jobs.name(properties, 1)} failed {ATTEMPTS} times: change something before the next")


def request_of(properties: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the request to SageMaker, checkpoints in a folder of the job's own.

    In one folder for all jobs of a fingerprint, a job that is run again would find its predecessor's last iteration
    and train no further.
    """
    request: dict[str, Any] = json.loads(properties["Request"])
    if "CheckpointConfig" in request:
        folder = request["CheckpointConfig"]["S3Uri"].rstrip("/")
        request["CheckpointConfig"] = {**request["CheckpointConfig"], "S3Uri": f"{folder}/{name}"}
    return request


def start(jobs: Jobs, name: str, request: dict[str, Any], deployment: Deployment) -> None:
    """Start the job, waiting for its role to be known everywhere. A job of that name that exists is the same job.

    The Delete of a cancelled change may look for jobs before this one exists. Whichever comes first, the job is
    stopped: CloudFormation changes the stack's state before it sends the Delete (or the Update back), and this looks
    at the state after the job exists. If it still sees the old state, then the Delete's look comes later and finds
    the job; else it stops the job itself. Nobody has to wait. Raises JobFailed then, ClientError when refused.
    """
    deadline = time.monotonic() + ROLE_WAIT_SECONDS
    while True:
        try:
            jobs.create(name, request)
            break
        except ClientError as error:
            if code_of(error) == "ResourceInUse":  # this event was delivered twice
                break
            if not is_role_not_yet(error) or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)
    try:
        undone = deployment.status_if_undone()
    except (BotoCoreError, ClientError):
        jobs.stop_if_running(name)  # after a Create that failed in here, the framework ignores the Delete
        raise
    if undone:
        jobs.stop_if_running(name)
        raise JobFailed(f"{jobs.word} {name} was stopped at once: the stack is {undone}")


def is_role_not_yet(error: ClientError) -> bool:
    """Say whether the refusal may pass as IAM spreads a new role: told by its words, codes are too general.

    An explicit deny is somebody's decision and stays.
    """
    text = text_of(error).lower()
    if "explicit deny" in text:
        return False
    if code_of(error) in {"AccessDenied", "AccessDeniedException"}:
        return True
    return code_of(error) == "ValidationException" and any(words in text for words in _ROLE_NOT_YET)


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
    running = running_jobs(jobs, properties)
    for name in running:
        jobs.stop_if_running(name)
    return running


def stop_others(jobs: Jobs, properties: dict[str, Any]) -> None:
    """Ask this stack's running jobs of other fingerprints to stop, but for those of its other trained models.

    Nobody waits for them any more: most of all when a roll-back updates back while the new job runs.
    """
    wanted = [jobs.base(properties, one) for one in (properties["Fingerprint"], *properties.get("Siblings", ()))]
    for name in running_jobs(jobs, properties):
        watches = name.startswith(f"{properties['JobPrefix']}-m")  # a monitor's run: fingerprints have no m
        if not watches and not any(name == base or name.startswith(f"{base}-") for base in wanted):
            print(f"{jobs.word} {name} is stopped: {wanted[0]} replaces it")
            jobs.stop_if_running(name)


def running_jobs(jobs: Jobs, properties: dict[str, Any]) -> list[str]:
    """Return the names of this stack's jobs that run or are being stopped."""
    return [name for name in jobs.busy(jobs.prefix(properties)) if jobs.of_the_stack(properties, name)]
