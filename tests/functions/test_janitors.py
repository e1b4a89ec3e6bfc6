"""The janitors: what they delete, what they leave, what they wait out, and that CloudFormation always hears."""

from __future__ import annotations

import json
from typing import Any

import bucket_contents
import job_logs
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.functions.conftest import CloudFormation, Context, Scripted

BUCKET = "some-bucket"


def policy(bucket: str = BUCKET) -> dict[str, Any]:
    statement = {
        "Sid": "BeingDeleted",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return {"Bucket": bucket, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


def expect_empty_page(s3: Scripted) -> None:
    s3.reply("put_bucket_policy", policy())
    s3.reply("list_object_versions", {"Bucket": BUCKET, "MaxKeys": 1000})
    s3.reply("list_multipart_uploads", {"Bucket": BUCKET, "MaxUploads": 100})


def always() -> int:
    return 900_000


def test_bucket_writes_are_denied_before_anything_is_deleted(s3: Scripted) -> None:
    s3.reply("put_bucket_policy", policy())
    s3.reply(
        "list_object_versions",
        {"Bucket": BUCKET, "MaxKeys": 1000},
        {"Versions": [{"Key": "a", "VersionId": "1"}], "DeleteMarkers": [{"Key": "b", "VersionId": "2"}]},
    )
    both = [{"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}]
    s3.reply("delete_objects", {"Bucket": BUCKET, "Delete": {"Objects": both, "Quiet": True}})
    s3.reply(
        "list_multipart_uploads", {"Bucket": BUCKET, "MaxUploads": 100}, {"Uploads": [{"Key": "c", "UploadId": "3"}]}
    )
    s3.reply("abort_multipart_upload", {"Bucket": BUCKET, "Key": "c", "UploadId": "3"})
    expect_empty_page(s3)
    bucket_contents.empty(s3.client, BUCKET, always)


def test_bucket_that_is_gone_is_empty(s3: Scripted) -> None:
    s3.refuse("put_bucket_policy", "NoSuchBucket")
    bucket_contents.empty(s3.client, BUCKET, always)


@pytest.mark.parametrize("code", ["AccessDenied", "OperationAborted", "ServiceUnavailable", "SlowDown"])
def test_bucket_waits_out_what_passes(s3: Scripted, pauses: list[float], code: str) -> None:
    s3.refuse("put_bucket_policy", code)
    expect_empty_page(s3)
    bucket_contents.empty(s3.client, BUCKET, always)
    assert len(pauses) == 1


@pytest.mark.usefixtures("pauses")
def test_bucket_says_what_is_left_when_time_runs_out(s3: Scripted) -> None:
    s3.refuse("put_bucket_policy", "SlowDown")
    context = Context([300_000, bucket_contents.RESERVE_MS - 1])
    with pytest.raises(TimeoutError, match=f"{BUCKET} is not empty.*SlowDown"):
        bucket_contents.empty(s3.client, BUCKET, context.get_remaining_time_in_millis)


def test_bucket_watches_the_time_also_while_all_goes_well(s3: Scripted) -> None:
    s3.reply("put_bucket_policy", policy())
    s3.stub.add_response("list_object_versions", {"Versions": [{"Key": "a", "VersionId": "1"}]})
    s3.stub.add_response("delete_objects", {})
    s3.stub.add_response("list_multipart_uploads", {})
    context = Context([300_000, bucket_contents.RESERVE_MS - 1])
    with pytest.raises(TimeoutError, match="1 deletions so far"):
        bucket_contents.empty(s3.client, BUCKET, context.get_remaining_time_in_millis)


def test_bucket_gives_up_when_access_stays_denied(s3: Scripted, pauses: list[float]) -> None:
    for _ in range(int(bucket_contents.DENIED_SECONDS / bucket_contents.PAUSE_SECONDS) + 2):
        s3.refuse("put_bucket_policy", "AccessDenied")
    with pytest.raises(TimeoutError, match="AccessDenied"):
        bucket_contents.empty(s3.client, BUCKET, always)
    assert sum(pauses) == pytest.approx(bucket_contents.DENIED_SECONDS, abs=5)


def test_bucket_waits_out_a_lost_connection(s3: Scripted, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [ReadTimeoutError(endpoint_url="https://s3")]
    deny = bucket_contents.deny_writes

    def deny_writes(client: Any, bucket: str) -> None:
        if lost:
            raise lost.pop()
        deny(client, bucket)

    monkeypatch.setattr(bucket_contents, "deny_writes", deny_writes)
    expect_empty_page(s3)
    bucket_contents.empty(s3.client, BUCKET, always)
    assert len(pauses) == 1


def test_bucket_fails_on_what_does_not_pass(s3: Scripted) -> None:
    s3.refuse("put_bucket_policy", "MalformedPolicy", "no such principal")
    with pytest.raises(ClientError, match="MalformedPolicy"):
        bucket_contents.empty(s3.client, BUCKET, always)


def expect_refused_keys(s3: Scripted, *codes: str) -> None:
    s3.reply("put_bucket_policy", policy())
    s3.stub.add_response("list_object_versions", {"Versions": [{"Key": code, "VersionId": "1"} for code in codes]})
    errors = [{"Key": f"key-{code}", "Code": code, "Message": "locked"} for code in codes]
    s3.stub.add_response("delete_objects", {"Errors": errors})


def test_bucket_reports_objects_that_s3_does_not_delete(s3: Scripted) -> None:
    expect_refused_keys(s3, "SlowDown", "ObjectLocked", "Other")
    with pytest.raises(RuntimeError, match="3 of 3 deletions, such as key-ObjectLocked: ObjectLocked locked"):
        bucket_contents.empty(s3.client, BUCKET, always)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied", "ServiceUnavailable"])
def test_bucket_tries_again_what_s3_did_not_delete_just_now(s3: Scripted, pauses: list[float], code: str) -> None:
    expect_refused_keys(s3, code)
    expect_empty_page(s3)
    bucket_contents.empty(s3.client, BUCKET, always)
    assert len(pauses) == 1


def test_bucket_gives_up_on_objects_that_stay_denied(s3: Scripted, pauses: list[float]) -> None:
    for _ in range(int(bucket_contents.DENIED_SECONDS / bucket_contents.PAUSE_SECONDS) + 2):
        expect_refused_keys(s3, "SlowDown", "AccessDenied")
    with pytest.raises(TimeoutError, match="2 of 2 deletions"):
        bucket_contents.empty(s3.client, BUCKET, always)
    assert sum(pauses) == pytest.approx(bucket_contents.DENIED_SECONDS, abs=5)


def test_bucket_upload_that_ended_meanwhile_is_no_error(s3: Scripted) -> None:
    s3.stub.add_response("list_multipart_uploads", {"Uploads": [{"Key": "c", "UploadId": "3"}]})
    s3.refuse("abort_multipart_upload", "NoSuchUpload")
    assert bucket_contents.abort_uploads(s3.client, BUCKET) == 1


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partition(region: str, partition: str) -> None:
    assert bucket_contents.partition(region) == partition


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_creating_and_updating_touch_nothing(cloudformation: CloudFormation, request_type: str) -> None:
    bucket_contents.handler(cloudformation.event(request_type, Bucket=BUCKET), Context())
    job_logs.handler(
        cloudformation.event(request_type, JobPrefix="p", StackPart="s", EndpointLogGroup="group"), Context()
    )
    answers = [(answer["Status"], answer["PhysicalResourceId"]) for answer in cloudformation.answers]
    assert answers == [("SUCCESS", BUCKET), ("SUCCESS", "group")]
    assert cloudformation.content_types == ["", ""]


def test_failure_reaches_cloudformation_with_the_log_stream(
    cloudformation: CloudFormation, s3: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_contents, "client", {"s3": s3.client}.__getitem__)
    s3.refuse("put_bucket_policy", "MalformedPolicy", "no such principal")
    bucket_contents.handler(cloudformation.event("Delete", Bucket=BUCKET), Context())
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == BUCKET
    assert "no such principal" in answer["Reason"]
    assert "log stream stream of group" in answer["Reason"]


def test_reason_fits_into_cloudformations_answer(cloudformation: CloudFormation) -> None:
    import cfn

    def fail() -> None:
        raise RuntimeError("x" * 10_000)

    cfn.answer(cloudformation.event("Delete"), Context(), "id", fail)
    assert len(json.dumps(cloudformation.answers[0])) < 4096


@pytest.mark.parametrize(
    ("prefix", "part", "ours", "alike"),
    [
        (
            "sandcastle-local--bank--",
            "-5f0c2a10",
            "sandcastle-local--bank--01234567-5f0c2a10/algo-1-1",
            [
                "sandcastle-local--bank--01234567-ffffffff/algo-1-1",
                "sandcastle-local--bank-two--01234567-eeeeeeee/algo-1",
            ],
        ),
        (
            "sc-25bf8e-8f52-",
            "-5f0c2-",
            "sc-25bf8e-8f52-01234567-5f0c2-01-001-0f0444b1/algo-1-1",
            ["sc-25bf8e-8f52-01234567-fffff-01-001-0f0444b1/algo-1-1"],
        ),
    ],
)
def test_logs_of_this_stacks_jobs_go_and_others_stay(
    logs: Scripted, prefix: str, part: str, ours: str, alike: list[str]
) -> None:
    for group in job_logs.SHARED_GROUPS:
        logs.reply(
            "describe_log_streams",
            {"logGroupName": group, "logStreamNamePrefix": prefix},
            {"logStreams": [{"logStreamName": name} for name in (*alike, ours)]},
        )
        logs.reply("delete_log_stream", {"logGroupName": group, "logStreamName": ours})
    job_logs.delete_streams(logs.client, job_logs.SHARED_GROUPS, prefix, part)


def test_deleting_the_resource_looks_for_jobs_and_for_training_jobs_of_tuning_jobs(
    logs: Scripted, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_logs, "client", lambda _service: logs.client)
    logs.reply("delete_log_group", {"logGroupName": "/aws/sagemaker/Endpoints/e"})
    for prefix in ("sandcastle-local--bank--", "sc-25bf8e-8f52-"):
        for group in job_logs.SHARED_GROUPS:
            logs.reply(
                "describe_log_streams", {"logGroupName": group, "logStreamNamePrefix": prefix}, {"logStreams": []}
            )
    names = {"JobPrefix": "sandcastle-local--bank-", "TuningPrefix": "sc-25bf8e-8f52", "StackPart": "5f0c2a10"}
    job_logs.handler(cloudformation.event("Delete", EndpointLogGroup="/aws/sagemaker/Endpoints/e", **names), None)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_a_pipelines_jobs_have_names_without_the_stacks_part(
    logs: Scripted, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_logs, "client", lambda _service: logs.client)
    groups = [*job_logs.SHARED_GROUPS, "/aws/sagemaker/TransformJobs"]
    logs.reply("delete_log_group", {"logGroupName": "/aws/sagemaker/Endpoints/e"})
    for prefix, job in (
        ("sandcastle-local--bank--", "sandcastle-local--bank--p-7i2w1pipltt6-abc123"),
        ("sq3f5d-", "sq3f5d-7i2w1pipltt6-abc123-001-0f0444b1"),
    ):
        for group in groups:
            stream = f"{job}/algo-1-1"
            found = {"logStreams": [{"logStreamName": stream}]}
            logs.reply("describe_log_streams", {"logGroupName": group, "logStreamNamePrefix": prefix}, found)
            logs.reply("delete_log_stream", {"logGroupName": group, "logStreamName": stream})
    names = {"JobPrefix": "sandcastle-local--bank-", "TuningPrefix": "sq3f5d", "StackPart": "", "Groups": groups}
    job_logs.handler(cloudformation.event("Delete", EndpointLogGroup="/aws/sagemaker/Endpoints/e", **names), None)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_logs_that_were_never_written_are_no_error(logs: Scripted) -> None:
    logs.refuse("delete_log_group", "ResourceNotFoundException")
    job_logs.delete_group(logs.client, "group")
    for _ in job_logs.SHARED_GROUPS:
        logs.refuse("describe_log_streams", "ResourceNotFoundException")
    job_logs.delete_streams(logs.client, job_logs.SHARED_GROUPS, "p", "s")


def test_logs_that_may_not_be_deleted_are_an_error(logs: Scripted) -> None:
    logs.refuse("delete_log_group", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        job_logs.delete_group(logs.client, "group")
