"""Custom::SandcastleBucketContents: what is in a bucket, which CloudFormation does not know and cannot delete.

Creating and updating do nothing. Deleting first denies every new object by bucket policy, then deletes all
versions, delete markers and unfinished uploads until a listing finds none. Safe to repeat at any point; a bucket
that is gone counts as empty.
"""

from __future__ import annotations

import json
import time
from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from cfn import answer

RESERVE_MS = 60_000
"""Time kept for answering CloudFormation."""

PAUSE_SECONDS = 3.0


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. The physical id is the bucket's name, so that a replaced bucket is emptied too."""
    bucket = event["ResourceProperties"]["Bucket"]

    def work() -> None:
        if event["RequestType"] == "Delete":
            empty(client("s3"), bucket, context.get_remaining_time_in_millis)

    answer(event, context, bucket, work)


def empty(s3: Any, bucket: str, remaining_ms: Any) -> None:
    """Empty the bucket, waiting out what passes: permissions not yet in force, a writer not yet stopped.

    Raises TimeoutError, with what is left to do, when the function's time runs out.
    """
    while True:
        try:
            deny_writes(s3, bucket)
            if delete_page(s3, bucket) + abort_uploads(s3, bucket) == 0:
                return
            continue
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return
            # AccessDenied: IAM spreads a new permission within seconds. OperationAborted: another call on the bucket.
            if code_of(error) not in {"AccessDenied", "OperationAborted", "SlowDown", "InternalError"}:
                raise
            failure = error
        if remaining_ms() < RESERVE_MS:
            raise TimeoutError(f"bucket {bucket} is not empty yet, delete the stack again: {failure}")
        time.sleep(PAUSE_SECONDS)


def deny_writes(s3: Any, bucket: str) -> None:
    """Replace the bucket's policy by one that lets nobody write, service or person."""
    statement = {
        "Sid": "BeingDeleted",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:{partition(s3.meta.region_name)}:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def partition(region: str) -> str:
    """Return the partition that the region is in."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


def delete_page(s3: Any, bucket: str) -> int:
    """Delete up to a thousand versions and markers; return how many there were.

    Raises RuntimeError when S3 deletes some of them and refuses others.
    """
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
    found = [
        {"Key": item["Key"], "VersionId": item["VersionId"]}
        for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
    if found:
        reply = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        refused = reply.get("Errors", [])
        if refused:
            first = f"{refused[0]['Key']}: {refused[0]['Message']}"
            raise RuntimeError(f"S3 refused {len(refused)} of {len(found)} deletions, the first of {first}")
    return len(found)


def abort_uploads(s3: Any, bucket: str) -> int:
    """Abort the unfinished uploads of one page; return how many there were."""
    uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    for upload in uploads:
        try:
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":  # finished or aborted in the meantime
                raise
    return len(uploads)
