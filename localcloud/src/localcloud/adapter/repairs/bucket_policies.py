"""AWS::S3::BucketPolicy goes through the S3 API; MiniStack stores policies for buckets that do not exist."""

from __future__ import annotations

import json

from localcloud.adapter import s3api
from localcloud.adapter.cfn import CfnError, Props, Provisioned, register_cfn_type


def install() -> None:
    """Replace the handler."""
    register_cfn_type("AWS::S3::BucketPolicy", create=_create, update=_update, delete=_delete, replacing=("Bucket",))


def _create(_logical_id: str, props: Props, _stack: str) -> Provisioned:
    _put(props)
    return props["Bucket"], {}


def _update(physical_id: str, _old: Props, new: Props, _stack: str) -> Provisioned:
    _put(new)
    return physical_id, {}


def _put(props: Props) -> None:
    document = props["PolicyDocument"]
    text = document if isinstance(document, str) else json.dumps(document)
    s3api.call("PutBucketPolicy", Bucket=props["Bucket"], Policy=text)


def _delete(_physical_id: str, props: Props) -> None:
    try:
        s3api.call("DeleteBucketPolicy", Bucket=props["Bucket"])
    except CfnError as error:
        if "NoSuchBucket" not in str(error):
            raise
