"""A write with ``aws:kms`` and no key uses the account's managed key ``aws/s3``, as on AWS.

MiniStack refuses it, which nobody meets while it also drops a bucket's default encryption: the staging bucket that
``cdk bootstrap`` makes is encrypted this way, and the CLI asks the bucket how to encrypt.
"""

from __future__ import annotations

from typing import Any

from ministack.services import s3

from localcloud.adapter.identity import account_id, region

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def install() -> None:
    """Wrap the check of a write's encryption headers."""
    before = s3._resolve_sse_write_headers

    def resolve(headers: dict[str, str], bucket: str) -> Any:
        if headers.get(_ALGORITHM) == "aws:kms" and not headers.get(_KEY):
            headers = {**headers, _KEY: f"arn:aws:kms:{region()}:{account_id()}:alias/aws/s3"}
        return before(headers, bucket)

    s3._resolve_sse_write_headers = resolve
