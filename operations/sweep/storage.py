"""Removes what must be emptied first."""

from __future__ import annotations

from botocore.exceptions import ClientError

from operations.audit.finding import Finding
from operations.sweep.turns import insist
from operations.target import Target


def bucket(target: Target, finding: Finding) -> None:
    """Empty a bucket, versions and unfinished uploads too, and delete it; late writers may make it take turns."""
    client = target.client("s3")
    name = finding.name

    def turn() -> str:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            keys = [
                {"Key": item["Key"], "VersionId": item["VersionId"]}
                for item in page.get("Versions", []) + page.get("DeleteMarkers", [])
            ]
            refused = client.delete_objects(Bucket=name, Delete={"Objects": keys}).get("Errors") if keys else None
            if refused:
                raise ClientError({"Error": refused[0]}, "DeleteObjects")
        for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
            for upload in page.get("Uploads", []):
                client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
        client.delete_bucket(Bucket=name)
        return ""

    insist(target, turn, 10)


def event_rule(target: Target, finding: Finding) -> None:
    """Take a rule's targets from it and delete it."""
    client = target.client("events")
    targets = [one["Id"] for one in client.list_targets_by_rule(Rule=finding.name)["Targets"]]
    if targets:
        client.remove_targets(Rule=finding.name, Ids=targets)
    client.delete_rule(Name=finding.name)
