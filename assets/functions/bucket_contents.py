"""Custom::SandcastleBucketContents: what is in a bucket, which CloudFormation does not know and cannot delete.

Creating and updating do nothing. Deleting first denies every new object by bucket policy, then deletes all
versions, delete markers and unfinished uploads until a listing finds none. Safe to repeat at any point; a bucket
that is gone counts as empty.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aws import client, code_of, is_passing
from botocore.exceptions import BotoCoreError, ClientError
from cfn import answer

RESERVE_MS = 120_000
"""Time kept for finishing a turn that has begun and for answering CloudFormation."""

DENIED_SECONDS = 180.0
"""How long access may be denied: IAM spreads a permission within seconds, and a roll-back should not hang longer."""

PAUSE_SECONDS = 3.0

UPLOADS = 100
"""Unfinished uploads of one turn: S3 aborts them one by one."""

_DENIED = "AccessDenied"
_PASSING_KEYS = {_DENIED, "InternalError", "ServiceUnavailable", "SlowDown"}


class NotYet(Exception):
    """S3 did not delete some objects for reasons that pass. ``denied``: for lack of permission, some of them."""

    def __init__(self, text: str, *, denied: bool) -> None:
        """Take the text for CloudFormation's event."""
        super().__init__(text)
        self.denied = denied


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. The physical id is the bucket's name, so that a replaced bucket is emptied too."""
    bucket = event["ResourceProperties"]["Bucket"]

    def work() -> None:
        if event["RequestType"] == "Delete":
            empty(client("s3"), bucket, context.get_remaining_time_in_millis)

    answer(event, context, bucket, work)


def empty(s3: Any, bucket: str, remaining_ms: Callable[[], int]) -> None:
    """Empty the bucket, waiting out what passes: permissions not yet in force, a writer not yet stopped, trouble of S3.

    Raises TimeoutError, with what is left to do, when the function's time runs out or access stays denied, and at
    once what does not pass: the service's own error, or RuntimeError for an object that S3 will not delete.
    """
    deleted, left = 0, "nothing was listed yet"
    denied_since: float | None = None
    while True:
        if remaining_ms() < RESERVE_MS:
            raise TimeoutError(_unfinished(bucket, deleted, left))
        try:
            deny_writes(s3, bucket)
            found = delete_page(s3, bucket) + abort_uploads(s3, bucket)
            if found == 0:
                return
            deleted, left, denied_since = deleted + found, "the last listing was not the end", None
            continue
        except NotYet as refusal:
            left, denied = str(refusal), refusal.denied
        except (BotoCoreError, ClientError) as error:
            code = code_of(error) if isinstance(error, ClientError) else ""
            if code == "NoSuchBucket":
                return
            # OperationAborted: another call works on the bucket.
            if code not in {_DENIED, "OperationAborted"} and not is_passing(error):
                raise
            left, denied = str(error), code == _DENIED
        if denied:
            denied_since = time.monotonic() if denied_since is None else denied_since
            if time.monotonic() - denied_since > DENIED_SECONDS:
                raise TimeoutError(_unfinished(bucket, deleted, left))
        time.sleep(PAUSE_SECONDS)


def _unfinished(bucket: str, deleted: int, left: str) -> str:
    return f"bucket {bucket} is not empty yet, delete the stack again; {deleted} deletions so far, then: {left}"


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

    Raises RuntimeError when S3 refuses a deletion for good, NotYet when it refuses some for reasons that pass.
    """
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
    found = [
        {"Key": item["Key"], "VersionId": item["VersionId"]}
        for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
    if not found:
        return 0
    refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True}).get("Errors", [])
    lasting = [one for one in refused if one.get("Code") not in _PASSING_KEYS]
    if refused:
        first = (lasting or refused)[0]
        said = f"{first.get('Key')}: {first.get('Code')} {first.get('Message', '')}"
        text = f"S3 refused {len(refused)} of {len(found)} deletions, such as {said}"
        if lasting:
            raise RuntimeError(text)
        raise NotYet(text, denied=any(one["Code"] == _DENIED for one in refused))
    return len(found)


def abort_uploads(s3: Any, bucket: str) -> int:
    """Abort the unfinished uploads of one page; return how many there were."""
    uploads = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=UPLOADS).get("Uploads", [])
    for upload in uploads:
        try:
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":  # finished or aborted in the meantime
                raise
    return len(uploads)
