"""AWS::S3::Bucket goes through the S3 API.

MiniStack's own handlers drop tags, lifecycle, encryption, ownership and logging, ignore versioning's suspension
and delete buckets that hold objects (AWS: BucketNotEmpty).
Property names: AWS::S3::Bucket resource reference against the S3 API's botocore model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

from localcloud.adapter import s3api
from localcloud.adapter.cfn import CfnError, Props, Provisioned, register_cfn_type

#: left to MiniStack's handler, which routes them through the S3 API itself
_NATIVE = {
    "BucketName",
    "PublicAccessBlockConfiguration",
    "NotificationConfiguration",
    "CorsConfiguration",
    "WebsiteConfiguration",
}


#: CloudFormation's name -> (the API's name, how the value is converted)
_Names = Mapping[str, tuple[str, Callable[[Any], Any]]]


def install() -> None:
    """Wrap the bucket handler."""
    native = dict(provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"])

    def create(logical_id: str, props: Props, stack: str) -> Provisioned:
        name, attributes = native["create"](logical_id, _native(props), stack)
        try:
            _apply(name, {}, props)
        except Exception:
            native["delete"](name, {})
            raise
        return name, attributes

    def update(physical_id: str, old: Props, new: Props, stack: str) -> Provisioned:
        name, attributes = native["update"](physical_id, _native(old), _native(new), stack)
        _apply(name, old if name == physical_id else {}, new)
        return name, attributes

    def delete(physical_id: str, props: Props) -> None:
        try:
            s3api.call("DeleteBucket", Bucket=physical_id)
        except CfnError as error:
            if "NoSuchBucket" not in str(error):
                raise
        native["delete"](physical_id, props)  # what the API leaves in side tables

    register_cfn_type("AWS::S3::Bucket", create=create, update=update, delete=delete, tag_property="Tags")
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["import"] = native["import"]


def _native(props: Props) -> Props:
    return {key: value for key, value in props.items() if key in _NATIVE}


def _apply(bucket: str, old: Props, new: Props) -> None:
    for name, (put, drop) in _SETTINGS.items():
        if name in new and new[name] != old.get(name):
            put(bucket, new[name])
        elif name in old and name not in new:
            drop(bucket)


def _simple(operation: str, member: str, shape: Callable[[Any], Any]) -> Callable[[str, Any], None]:
    def put(bucket: str, value: Any) -> None:
        s3api.call(operation, Bucket=bucket, **{member: shape(value)})

    return put


def _drop(operation: str, **parameters: Any) -> Callable[[str], None]:
    return lambda bucket: s3api.call(operation, Bucket=bucket, **parameters)


def _tags(value: Any) -> Any:
    return {"TagSet": [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in value]}


def _renamed(value: Any, names: _Names, where: str) -> dict[str, Any]:
    """``value`` with the API's member names; a property that is not in the table is refused by name."""
    unknown = sorted(set(value) - set(names))
    if unknown:
        raise CfnError(f"localcloud does not model {where}: {', '.join(unknown)}")
    return {names[key][0]: names[key][1](item) for key, item in value.items()}


def _bool(value: Any) -> bool:
    return str(value).lower() == "true"


def _list_of(names: _Names, where: str) -> Callable[[Any], Any]:
    return lambda items: [_renamed(item, names, where) for item in items]


def _one(names: _Names, where: str) -> Callable[[Any], Any]:
    return lambda item: _renamed(item, names, where)


_TRANSITION = {"StorageClass": ("StorageClass", str), "TransitionInDays": ("Days", int)}
_NONCURRENT_TRANSITION = {
    "StorageClass": ("StorageClass", str),
    "TransitionInDays": ("NoncurrentDays", int),
    "NewerNoncurrentVersions": ("NewerNoncurrentVersions", int),
}
_NONCURRENT = {
    "NoncurrentDays": ("NoncurrentDays", int),
    "NewerNoncurrentVersions": ("NewerNoncurrentVersions", int),
}
_ABORT = {"DaysAfterInitiation": ("DaysAfterInitiation", int)}
_RULE: _Names = {
    "Id": ("ID", str),
    "Status": ("Status", str),
    "Transitions": ("Transitions", _list_of(_TRANSITION, "a lifecycle transition")),
    "NoncurrentVersionTransitions": (
        "NoncurrentVersionTransitions",
        _list_of(_NONCURRENT_TRANSITION, "a noncurrent transition"),
    ),
    "NoncurrentVersionExpiration": ("NoncurrentVersionExpiration", _one(_NONCURRENT, "a noncurrent expiration")),
    "AbortIncompleteMultipartUpload": ("AbortIncompleteMultipartUpload", _one(_ABORT, "an upload abort")),
}
#: lifecycle properties that the API keeps in nested members
_NESTED_RULE = {"Prefix", "TagFilters", "ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker"}


def _lifecycle(value: Any) -> Any:
    return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}


def _lifecycle_rule(rule: Props) -> dict[str, Any]:
    shaped = _renamed({k: v for k, v in rule.items() if k not in _NESTED_RULE}, _RULE, "a lifecycle rule")
    expiration = {
        api: convert(rule[cfn])
        for cfn, api, convert in (
            ("ExpirationInDays", "Days", int),
            ("ExpirationDate", "Date", str),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker", _bool),
        )
        if cfn in rule
    }
    if expiration:
        shaped["Expiration"] = expiration
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters", [])]
    prefix = rule.get("Prefix", "")
    if tags:
        shaped["Filter"] = {"And": {"Prefix": prefix, "Tags": tags}}
    else:
        shaped["Filter"] = {"Prefix": prefix}
    return shaped


def _acl(bucket: str, value: str) -> None:
    """CloudFormation spells canned ACLs ``LogDeliveryWrite``, the API ``log-delivery-write``."""
    if value == "Private":  # what a bucket has anyway; allowed on buckets that have no ACLs
        return
    s3api.call("PutBucketAcl", Bucket=bucket, ACL=re.sub(r"(?<!^)(?=[A-Z])", "-", value).lower())


def _keep(_bucket: str) -> None:
    """A removed canned ACL stays what it is, as in S3, where there is no such thing as removing one."""


def _encryption(value: Any) -> Any:
    default = {"SSEAlgorithm": ("SSEAlgorithm", str), "KMSMasterKeyID": ("KMSMasterKeyID", str)}
    rule = {
        "ServerSideEncryptionByDefault": ("ApplyServerSideEncryptionByDefault", _one(default, "a default encryption")),
        "BucketKeyEnabled": ("BucketKeyEnabled", _bool),
    }
    shape = {"ServerSideEncryptionConfiguration": ("Rules", _list_of(rule, "an encryption rule"))}
    return _renamed(value, shape, "BucketEncryption")


def _ownership(value: Any) -> Any:
    rule = {"ObjectOwnership": ("ObjectOwnership", str)}
    return _renamed(value, {"Rules": ("Rules", _list_of(rule, "an ownership rule"))}, "OwnershipControls")


def _logging(value: Any) -> Any:
    # a bucket that logs to itself names no destination; CDK always names one
    names = {"DestinationBucketName": ("TargetBucket", str), "LogFilePrefix": ("TargetPrefix", str)}
    return {"LoggingEnabled": {"TargetPrefix": "", **_renamed(value, names, "LoggingConfiguration")}}


def _versioning(value: Any) -> Any:
    return _renamed(value, {"Status": ("Status", str)}, "VersioningConfiguration")


_SETTINGS: dict[str, tuple[Callable[[str, Any], None], Callable[[str], None]]] = {
    "Tags": (_simple("PutBucketTagging", "Tagging", _tags), _drop("DeleteBucketTagging")),
    "VersioningConfiguration": (
        _simple("PutBucketVersioning", "VersioningConfiguration", _versioning),
        _drop("PutBucketVersioning", VersioningConfiguration={"Status": "Suspended"}),
    ),
    "LifecycleConfiguration": (
        _simple("PutBucketLifecycleConfiguration", "LifecycleConfiguration", _lifecycle),
        _drop("DeleteBucketLifecycle"),
    ),
    "BucketEncryption": (
        _simple("PutBucketEncryption", "ServerSideEncryptionConfiguration", _encryption),
        _drop("DeleteBucketEncryption"),
    ),
    "OwnershipControls": (
        _simple("PutBucketOwnershipControls", "OwnershipControls", _ownership),
        _drop("DeleteBucketOwnershipControls"),
    ),
    # after the ownership that allows it
    "AccessControl": (_acl, _keep),
    "LoggingConfiguration": (
        _simple("PutBucketLogging", "BucketLoggingStatus", _logging),
        _drop("PutBucketLogging", BucketLoggingStatus={}),
    ),
}

#: every property of AWS::S3::Bucket that reaches the S3 API
SUPPORTED = frozenset(_NATIVE | set(_SETTINGS))
