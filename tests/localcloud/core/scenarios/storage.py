"""Buckets, file systems, log groups, and the tags of everything."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.localcloud.core.scenarios.registry import error_code, scenario
from tests.localcloud.core.stacks import Stack, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud


@scenario
def bucket_properties_reach_s3(server: Localcloud) -> None:
    s3, stack = server.client("s3"), Stack(server, unique("bucket"))
    logs: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    properties = {
        "Tags": [{"Key": "sandcastle:environment", "Value": "local & <sunny>"}],
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {
            "Rules": [
                {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
                {"Id": "old", "Status": "Enabled", "Prefix": "capture/", "ExpirationInDays": 30},
            ]
        },
        "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "data/"},
    }
    resources = {"Logs": logs, "Data": {"Type": "AWS::S3::Bucket", "Properties": properties}}
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    name = stack.physical("Data")
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["sandcastle:environment"] == "local & <sunny>"
    assert tags["aws:cloudformation:stack-name"] == stack.name
    first, second = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert first["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert (second["Filter"]["Prefix"], second["Expiration"]["Days"]) == ("capture/", 30)
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    ownership = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    target = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
    assert (target["TargetBucket"], target["TargetPrefix"]) == (stack.physical("Logs"), "data/")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"

    less = {key: properties[key] for key in ("Tags", "BucketEncryption")}
    updated = {"Logs": logs, "Data": {"Type": "AWS::S3::Bucket", "Properties": less}}
    assert stack.update(updated) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.physical("Data") == name
    gone = error_code(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name))
    assert gone == "NoSuchLifecycleConfiguration"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Suspended"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=name)
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def kms_without_a_key_uses_the_managed_one(server: Localcloud) -> None:
    s3, bucket = server.client("s3"), unique("kms")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"1", ServerSideEncryption="aws:kms")
    assert s3.head_object(Bucket=bucket, Key="x")["SSEKMSKeyId"].endswith("alias/aws/s3")


@scenario
def bucket_with_objects_is_not_deleted(server: Localcloud) -> None:
    s3, stack = server.client("s3"), Stack(server, unique("full"))
    stack.create({"Data": {"Type": "AWS::S3::Bucket"}})
    name = stack.physical("Data")
    s3.put_object(Bucket=name, Key="kept", Body=b"x")
    assert stack.delete() == "DELETE_FAILED"
    assert "not empty" in stack.reasons()
    assert s3.get_object(Bucket=name, Key="kept")["Body"].read() == b"x"
    s3.delete_object(Bucket=name, Key="kept")
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def policy_of_a_missing_bucket_fails(server: Localcloud) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::nobody-has-this/*"}
    properties = {"Bucket": "nobody-has-this", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    stack = Stack(server, unique("policy"))
    status = stack.create({"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}})
    assert status == "ROLLBACK_COMPLETE"
    assert "NoSuchBucket" in stack.reasons()


@scenario
def existing_log_group_is_not_adopted(server: Localcloud) -> None:
    name = f"/test/{unique('group')}"
    server.client("logs").create_log_group(logGroupName=name)
    stack = Stack(server, unique("logs"))
    status = stack.create({"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}})
    assert status == "ROLLBACK_COMPLETE"
    assert "already exists" in stack.reasons()
    assert server.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]


@scenario
def a_file_system_policy_counts(server: Localcloud) -> None:
    efs, iam = server.client("efs"), server.client("iam")
    locked, other = (efs.create_file_system(CreationToken=unique("fs"))["FileSystemId"] for _ in range(2))
    name = unique("sweeper")
    iam.create_user(UserName=name)
    own = {"Effect": "Allow", "Action": "elasticfilesystem:*", "Resource": "*"}
    iam.put_user_policy(
        UserName=name, PolicyName="may", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [own]})
    )
    sweeper = server.client("efs", iam.create_access_key(UserName=name)["AccessKey"])
    denied = ["elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DeleteFileSystem"]
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": denied}
    efs.put_file_system_policy(FileSystemId=locked, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    for call in (sweeper.describe_file_systems, sweeper.delete_file_system):
        assert "AccessDenied" in error_code(lambda call=call: call(FileSystemId=locked))
    sweeper.delete_file_system(FileSystemId=other)
    sweeper.delete_file_system_policy(FileSystemId=locked)
    sweeper.delete_file_system(FileSystemId=locked)


@scenario
def efs_calls_are_authorised_on_the_file_system(server: Localcloud) -> None:
    ec2, efs, iam = (server.client(name) for name in ("ec2", "efs", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    file_system = efs.create_file_system(CreationToken=unique("fs"), Tags=[{"Key": "mine", "Value": "yes"}])
    identifier = file_system["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=identifier, SubnetId=subnet)["MountTargetId"]
    name = unique("sweeper")
    iam.create_user(UserName=name)
    may = {
        "Effect": "Allow",
        "Action": ["elasticfilesystem:DescribeMountTargets", "elasticfilesystem:DeleteMountTarget"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/mine": "yes"}},
    }
    iam.put_user_policy(
        UserName=name, PolicyName="may", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]})
    )
    sweeper = server.client("efs", iam.create_access_key(UserName=name)["AccessKey"])
    assert len(sweeper.describe_mount_targets(FileSystemId=identifier)["MountTargets"]) == 1
    efs.untag_resource(ResourceId=identifier, TagKeys=["mine"])
    assert "AccessDenied" in error_code(lambda: sweeper.delete_mount_target(MountTargetId=target))
    efs.tag_resource(ResourceId=identifier, Tags=[{"Key": "mine", "Value": "yes"}])
    sweeper.delete_mount_target(MountTargetId=target)


@scenario
def tagged_resources_are_listed_in_pages(server: Localcloud) -> None:
    key, ec2, tagging = unique("key"), server.client("ec2"), server.client("resourcegroupstaggingapi")
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": key, "Value": "x"}]}]
    made = {ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"] for _ in range(3)}
    pages = list(
        tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": key}], PaginationConfig={"PageSize": 2})
    )
    assert [len(page["ResourceTagMappingList"]) for page in pages] == [2, 1]
    found = {item["ResourceARN"].rpartition("/")[2] for page in pages for item in page["ResourceTagMappingList"]}
    assert found == made


@scenario
def dashboards_have_their_tags(server: Localcloud) -> None:
    cloudwatch, stack, name = server.client("cloudwatch"), Stack(server, unique("dashboard")), unique("shown")
    properties = {
        "DashboardName": name,
        "DashboardBody": '{"widgets": []}',
        "Tags": [{"Key": "sandcastle:environment", "Value": "local"}],
    }
    resource = {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}
    assert stack.create({"Shown": resource}) == "CREATE_COMPLETE", stack.reasons()
    arn = f"arn:aws:cloudwatch::000000000000:dashboard/{name}"

    def tags() -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    assert tags()["sandcastle:environment"] == "local"
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "more", "Value": "yes"}])
    assert tags()["more"] == "yes"
    changed = {**properties, "Tags": [{"Key": "sandcastle:environment", "Value": "other"}]}
    assert stack.update({"Shown": {**resource, "Properties": changed}}) == "UPDATE_COMPLETE", stack.reasons()
    assert tags()["sandcastle:environment"] == "other"
    assert "more" not in tags()
    assert stack.delete() == "DELETE_COMPLETE"
    missing = partial(cloudwatch.list_tags_for_resource, ResourceARN=arn)
    assert error_code(missing).startswith("ResourceNotFound")
