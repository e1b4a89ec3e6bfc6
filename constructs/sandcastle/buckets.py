"""Buckets that leave nothing behind: encrypted, TLS only, private, logged, and emptied before they are deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement, acknowledge_wildcards
from sandcastle.code import UploadedAsset
from sandcastle.functions import Function, service_timeout
from sandcastle.permissions import ACCOUNT
from sandcastle.promises import may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement, policy_document

UPLOAD_DAYS = 1
"""Days after which parts of an upload that was never finished are removed: they are billed like objects."""

ACCESS_LOG_DAYS = 30

TIMEOUT_SECONDS = 900
"""The longest that AWS lets a function run: a full bucket takes its time."""

_EMPTYING = "emptying means every object of exactly this bucket"


class BucketJanitor(Construct):
    """Empties buckets before CloudFormation deletes them: one function for all buckets of a stack.

    ``guard`` puts ``Custom::SandcastleBucketContents`` between a bucket and its policy::

        bucket policy --depends on--> contents --depends on--> bucket

    CloudFormation deletes against the arrows. So the bucket policy goes first, then the custom resource writes a
    policy of its own that denies every ``s3:PutObject``, deletes all versions, delete markers and unfinished
    uploads, and then the bucket is deleted while the denial still stands. The other way round (as CDK's own
    auto-delete does it) the deletion of the bucket policy lifts the denial again, and a late writer (data capture,
    access logs) fills the bucket between the last listing and its deletion.

    The function's permissions for a bucket are a policy per bucket, not statements of its role: the role would
    otherwise depend on all buckets, and one bucket's contents could not go before another bucket.
    """

    def __init__(self, scope: Construct, construct_id: str, *, code: UploadedAsset) -> None:
        """``code`` is all functions' asset."""
        super().__init__(scope, construct_id)
        self._permissions: list[tuple[Resource, str]] = []
        self.function = Function(
            self,
            "Function",
            handler="bucket_contents.handler",
            description="Empties a bucket before it is deleted",
            code=code,
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mb=512,  # a full page of keys, parsed and sent back, and CPU in proportion
            statements=[],
            promises=[may_not("s3:GetObject", "*"), may_not("s3:DeleteBucket", "*"), may_not("s3:PutObject", "*")],
        )

    def guard(self, bucket: Bucket, policy: Resource) -> Resource:
        """Have the bucket emptied after its policy went and before it goes itself."""
        permissions = Resource(
            bucket,
            "EmptyingPermissions",
            "AWS::IAM::Policy",
            tagged=False,
            PolicyName=f"empty-{bucket.node.id.lower()}",  # two of one name on one role would overwrite each other
            Roles=[self.function.role.resource.ref],
            PolicyDocument=policy_document(_emptying(bucket.arn)),
        )
        self._permissions.append((permissions, f"{bucket.arn}/*"))
        contents = Resource(
            bucket,
            "Contents",
            "Custom::SandcastleBucketContents",
            tagged=False,
            ServiceToken=self.function.arn,
            ServiceTimeout=service_timeout(TIMEOUT_SECONDS),
            Bucket=bucket.name,
        )
        contents.add_resource_dependency(permissions)
        policy.add_resource_dependency(contents)
        return contents

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """The objects of each bucket that is to be emptied."""
        for permissions, pattern in self._permissions:
            yield from acknowledge_wildcards(permissions, [(pattern, _EMPTYING)])


class Bucket(Construct):
    """A bucket with a generated name.

    SSE-S3: encryption that costs nothing and needs no key that could be lost. Not versioned: everything in it is
    addressed by the fingerprint of what made it, is never written twice with other content, and can be made again;
    versions would only be billed and have to be emptied. Should someone turn versioning on, the janitor copes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        janitor: BucketJanitor,
        access_logs: AccessLogs | None = None,
        expire_days: int | None = None,
        expire_prefixes: Sequence[str] = ("",),
        statements: Sequence[dict[str, Any]] = (),
    ) -> None:
        """``access_logs`` is where requests are logged, under this bucket's construct id.

        Objects below ``expire_prefixes`` are deleted ``expire_days`` after they were written; without days none are.
        ``statements`` are added to the bucket policy, their ``Resource`` being filled in: all objects.
        """
        super().__init__(scope, construct_id)
        logging = (
            {"DestinationBucketName": access_logs.bucket.name, "LogFilePrefix": f"{construct_id.lower()}/"}
            if access_logs
            else None
        )
        self.resource = Resource(
            self,
            "Resource",
            "AWS::S3::Bucket",
            BucketEncryption={
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            LifecycleConfiguration={"Rules": _lifecycle(expire_days, expire_prefixes)},
            LoggingConfiguration=logging,
        )
        self.resource.keep_nothing()
        self.arn: str = self.resource.attribute("Arn")
        self.name: str = self.resource.ref
        if access_logs:
            # Logs can be delivered only once the log bucket's policy allows it. And against the arrows: that bucket
            # is emptied (which waits for its policy) only when no bucket is left that could still send logs to it.
            self.resource.add_resource_dependency(access_logs.bucket.policy)
        self.policy: Resource = Resource(
            self,
            "Policy",
            "AWS::S3::BucketPolicy",
            tagged=False,
            Bucket=self.name,
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    _tls_only(self.arn),
                    *({**statement, "Resource": f"{self.arn}/*"} for statement in statements),
                ],
            },
        )
        self.contents: Resource = janitor.guard(self, self.policy)


class AccessLogs(Construct):
    """The bucket that the other buckets' access logs go to; logs are kept for 30 days."""

    def __init__(self, scope: Construct, construct_id: str, *, janitor: BucketJanitor) -> None:
        """Logs of any bucket of this account are accepted."""
        super().__init__(scope, construct_id)
        writer = {
            "Sid": "AccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        self.bucket = Bucket(self, "Bucket", janitor=janitor, expire_days=ACCESS_LOG_DAYS, statements=[writer])


def _lifecycle(expire_days: int | None, expire_prefixes: Sequence[str]) -> list[dict[str, Any]]:
    unfinished = {"DaysAfterInitiation": UPLOAD_DAYS}
    rules: list[dict[str, Any]] = [
        {"Id": "unfinished-uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": unfinished}
    ]
    for prefix in expire_prefixes if expire_days is not None else ():
        where = {"Prefix": prefix} if prefix else {}
        name = f"expire-{prefix.rstrip('/')}" if prefix else "expire"
        rules.append({"Id": name, "Status": "Enabled", "ExpirationInDays": expire_days, **where})
    return rules


def _tls_only(bucket_arn: str) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",  # a denial: the one place where a wildcard makes a policy narrower
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _emptying(bucket_arn: str) -> list[Statement]:
    return [
        Statement(["s3:ListBucketMultipartUploads", "s3:ListBucketVersions", "s3:PutBucketPolicy"], [bucket_arn]),
        Statement(
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion"],
            [f"{bucket_arn}/*"],
            reason=_EMPTYING,
        ),
    ]
