"""What an environment has in S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.finding import Finding
from operations.audit.prices import item_month
from operations.audit.survey import Survey


def buckets(survey: Survey) -> Iterator[Finding]:
    """Yield every bucket with the cost of its content: all versions, plus parts of unfinished uploads."""
    client, owner = survey.client("s3"), survey.owner
    listed = {bucket["Name"]: bucket for bucket in client.list_buckets()["Buckets"]}
    for name, tag_set in survey.each(lambda name: _tags(client, name), listed):
        why = owner.by_tags(tag_set)
        if not why:
            continue
        objects, size = _content(client, name)
        yield Finding(
            "bucket", name, f"{objects} objects, {size:,} bytes",
            item_month(owner.region, "s3 standard", size / 2**30), why,
            owner.call("s3", "delete_bucket", Bucket=name), "S3 Standard", listed[name].get("CreationDate"),
            by_hand=f"aws s3 rb s3://{name} --force",
        )  # fmt: skip


def _content(client: Any, name: str) -> tuple[int, int]:
    """Return how many object versions and delete markers a bucket holds, and the bytes of the versions."""
    objects = size = 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = page.get("Versions", [])
        objects += len(versions) + len(page.get("DeleteMarkers", []))
        size += sum(version["Size"] for version in versions)
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in page.get("Uploads", []):
            parts = client.list_parts(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
            objects += 1
            size += sum(part["Size"] for part in parts.get("Parts", []))
    return objects, size


def _tags(client: Any, name: str) -> list[Any]:
    try:
        tag_set: list[Any] = client.get_bucket_tagging(Bucket=name)["TagSet"]
        return tag_set
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchTagSet", "NoSuchBucket"):
            return []
        raise
