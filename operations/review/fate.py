"""What becomes of data when what holds it is replaced, deleted or made anew elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from operations.review.assembly import Assembly, Resource
from operations.review.change import Act, Change, Fate, Key
from operations.review.schemas import schema_of
from operations.review.values import references

HOLDS: Mapping[str, str] = {
    "AWS::S3::Bucket": "objects",
    "AWS::S3Express::DirectoryBucket": "objects",
    "AWS::S3Tables::TableBucket": "tables",
    "AWS::S3Tables::Table": "rows",
    "AWS::S3Vectors::VectorBucket": "vectors",
    "AWS::S3Vectors::Index": "vectors",
    "AWS::EFS::FileSystem": "files",
    "AWS::FSx::FileSystem": "files",
    "AWS::FSx::Volume": "files",
    "AWS::EC2::Volume": "files",
    "AWS::EC2::Instance": "files on its volumes",
    "AWS::Backup::BackupVault": "backups",
    "AWS::DynamoDB::Table": "items",
    "AWS::DynamoDB::GlobalTable": "items",
    "AWS::RDS::DBInstance": "rows",
    "AWS::RDS::DBCluster": "rows",
    "AWS::RDS::GlobalCluster": "rows",
    "AWS::DSQL::Cluster": "rows",
    "AWS::Redshift::Cluster": "rows",
    "AWS::RedshiftServerless::Namespace": "rows",
    "AWS::DocDB::DBCluster": "documents",
    "AWS::Neptune::DBCluster": "graphs",
    "AWS::NeptuneGraph::Graph": "graphs",
    "AWS::ElastiCache::ReplicationGroup": "entries",
    "AWS::ElastiCache::ServerlessCache": "entries",
    "AWS::MemoryDB::Cluster": "entries",
    "AWS::Cassandra::Keyspace": "rows",
    "AWS::Cassandra::Table": "rows",
    "AWS::Timestream::Database": "rows",
    "AWS::Timestream::Table": "rows",
    "AWS::OpenSearchService::Domain": "documents",
    "AWS::Elasticsearch::Domain": "documents",
    "AWS::OpenSearchServerless::Collection": "documents",
    "AWS::KMS::Key": "a key, without which what it encrypted cannot be read",
    "AWS::SecretsManager::Secret": "a secret",
    "AWS::SSM::Parameter": "a value",
    "AWS::Cognito::UserPool": "users",
    "AWS::Cognito::IdentityPool": "identities",
    "AWS::ECR::Repository": "images",
    "AWS::CodeArtifact::Repository": "packages",
    "AWS::CodeCommit::Repository": "code",
    "AWS::Glue::Database": "table definitions",
    "AWS::Glue::Table": "a table definition",
    "AWS::MSK::Cluster": "messages",
    "AWS::AmazonMQ::Broker": "messages",
    "AWS::QLDB::Ledger": "entries",
    "AWS::HealthLake::FHIRDatastore": "records",
    "AWS::WorkSpaces::Workspace": "files",
    "AWS::SageMaker::Domain": "profiles, spaces and files of its users",
    "AWS::SageMaker::UserProfile": "a user's home and spaces",
    "AWS::SageMaker::Space": "a space's files",
    "AWS::SageMaker::NotebookInstance": "files on its volume",
    "AWS::SageMaker::FeatureGroup": "features",
    "AWS::SageMaker::ModelPackageGroup": "registered models",
    "AWS::SageMaker::ModelPackage": "a registered model",
    "AWS::SageMaker::MlflowTrackingServer": "runs and their metrics",
    "AWS::SageMaker::Cluster": "files on its instances",
    "AWS::SageMaker::Image": "image versions",
    "AWS::SageMaker::ImageVersion": "an image version",
}
"""Types that hold what people cannot get back by another deploy, and what they hold."""

PASSING: Mapping[str, str] = {
    "AWS::Logs::LogGroup": "logs",
    "AWS::SQS::Queue": "messages that nobody has read yet",
    "AWS::Kinesis::Stream": "records that nobody has read yet",
    "AWS::CloudTrail::EventDataStore": "events",
    "AWS::ECS::Cluster": "running tasks",
}
"""Types whose content passes: its loss is told and does not block."""

_KEEPING = frozenset({"Retain", "Snapshot", "RetainExceptOnCreate"})
_SNAPSHOT_BY_DEFAULT = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"})
"""Their deletion makes a snapshot when the template says nothing (template reference, ``DeletionPolicy``)."""


def with_fates(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> dict[Key, Change]:
    """Return the changes, each of something that holds data with what becomes of it."""
    return {key: _with_fate(change, base, head) for key, change in changes.items()}


def _with_fate(change: Change, base: Assembly, head: Assembly) -> Change:
    if change.act not in (Act.REPLACE, Act.MAYBE, Act.DELETE, Act.MOVED):
        return change
    place = change.moved_from or change.key
    stack = base.stacks.get(place[0])
    old = stack.resources.get(place[1]) if stack else None
    if old is None:
        return change
    if place[0] not in head.stacks:
        return replace(change, fate=_in_a_stack_left(old, change.act))
    after = head.stacks[change.stack].resources.get(change.logical_id) if change.act is not Act.DELETE else None
    return replace(change, fate=fate(change.act, old, after, base))


def fate(act: Act, old: Resource, new: Resource | None, base: Assembly) -> Fate | None:
    """Return what becomes of what the old resource holds; None for one that holds nothing.

    A replacement keeps the old one only when both templates say so: whichever CloudFormation reads then, it is kept.
    """
    held, minor = HOLDS.get(old.type), False
    if held is None and old.type in PASSING:
        held, minor = PASSING[old.type], True
    unknown = not schema_of(old.type).known
    if held is None and not unknown:
        return None
    keeps = _keeps(old, "UpdateReplacePolicy" if act in (Act.REPLACE, Act.MAYBE) else "DeletionPolicy")
    if keeps and new is not None and act in (Act.REPLACE, Act.MAYBE):
        keeps = _keeps(new, "UpdateReplacePolicy")
    what = held or "whatever it holds"
    if keeps:
        return Fate("orphaned", f"{what} stay in the old one, which nothing uses any more; the new one is empty", minor)
    if act is Act.MAYBE:
        return Fate("unknown" if unknown else "lost", f"{what} would be lost if it is replaced", minor)
    if unknown:
        return Fate("unknown", "whether it holds anything is not known: AWS's registry has no schema of it")
    return Fate("lost", _lost(old, what, base), minor)


def _keeps(resource: Resource, policy: str) -> bool:
    said = resource.body.get(policy)
    return said in _KEEPING or (said is None and policy == "DeletionPolicy" and resource.type in _SNAPSHOT_BY_DEFAULT)


def _lost(old: Resource, what: str, base: Assembly) -> str:
    if old.type == "AWS::S3::Bucket" and not is_emptied(old, base):
        return f"{what} are lost; a bucket that is not empty cannot be deleted by CloudFormation and stays, unused"
    if old.type == "AWS::SageMaker::UserProfile":
        return f"{what} are lost: spaces go with their volumes; what is on the domain's file system nobody can reach"
    if old.type == "AWS::KMS::Key":
        return f"{what}, is lost when its waiting time ends"
    return f"{what} are lost"


def _in_a_stack_left(old: Resource, act: Act) -> Fate | None:
    held = HOLDS.get(old.type)
    if held is None:
        return None
    if act is Act.MOVED:
        return Fate("orphaned", f"{held} stay in the old stack, which a deploy does not delete; the new one is empty")
    return Fate("kept", f"{held} stay: a deploy does not delete the stack")


EMPTIERS = frozenset({"Custom::SandcastleBucketContents", "Custom::S3AutoDeleteObjects"})
"""Custom resources that empty a bucket before it is deleted."""


def is_emptied(bucket: Resource, assembly: Assembly) -> bool:
    """Say whether something empties the bucket before it is deleted."""
    around = assembly.stacks[bucket.stack].resources.values()
    return any(
        one.type in EMPTIERS and any(name == bucket.logical_id for name, _ in references(one.properties))
        for one in around
    )
