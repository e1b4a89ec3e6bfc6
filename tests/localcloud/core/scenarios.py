"""What AWS does in the situations that our repairs are about. Each one holds on localcloud and fails without repairs.

A scenario gets a server and asserts; it uses names of its own, so all run on one server in any order.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Resources, Stack, eventually, function, provider, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

Scenario = Callable[["Localcloud"], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(fn: Scenario) -> Scenario:
    """Register under the function's name."""
    SCENARIOS[fn.__name__] = fn
    return fn


def error_code(call: Callable[[], Any]) -> str:
    """The error code of a call that is to fail."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    raise AssertionError("the call succeeded")


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
def existing_role_is_not_adopted(server: Localcloud) -> None:
    iam, name = server.client("iam"), unique("taken")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    stack, wanted = Stack(server, unique("role")), role()
    wanted["Properties"]["RoleName"] = name
    assert stack.create({"Role": wanted}) == "ROLLBACK_COMPLETE"
    assert "already exists" in stack.reasons()
    assert iam.get_role(RoleName=name)["Role"]["RoleName"] == name


@scenario
def role_with_a_foreign_policy_is_not_deleted(server: Localcloud) -> None:
    iam, stack = server.client("iam"), Stack(server, unique("foreign"))
    stack.create({"Role": role()})
    name = stack.physical("Role")
    allow = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="by-hand", PolicyDocument=document)
    assert stack.delete() == "DELETE_FAILED"
    assert "must delete policies first" in stack.reasons()
    iam.delete_role_policy(RoleName=name, PolicyName="by-hand")
    assert stack.delete() == "DELETE_COMPLETE"


DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sagemaker:Create*", "Resource": "*"}]}


@scenario
def policies_in_use_are_not_deleted(server: Localcloud) -> None:
    """What a budget action does: the stack's policy is attached to the stack's role by somebody else."""
    iam, stack = server.client("iam"), Stack(server, unique("used"))
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DENY_ALL}}
    assert stack.create({"Role": role(), "Deny": policy}) == "CREATE_COMPLETE", stack.reasons()
    name, arn = stack.physical("Role"), stack.physical("Deny")
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    assert error_code(lambda: iam.delete_role(RoleName=name)) == "DeleteConflict"
    assert error_code(lambda: iam.delete_policy(PolicyArn=arn)) == "DeleteConflict"
    assert stack.delete() == "DELETE_FAILED"
    assert "Cannot delete entity, must detach all policies first." in stack.reasons()
    assert "Cannot delete a policy attached to entities." in stack.reasons()
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def only_existing_policies_are_attached(server: Localcloud) -> None:
    iam, stack, arn = server.client("iam"), Stack(server, unique("missing")), "arn:aws:iam::000000000000:policy/nobody"
    bearer = role()
    bearer["Properties"]["ManagedPolicyArns"] = [arn]
    assert stack.create({"Role": bearer}) == "ROLLBACK_COMPLETE"
    assert f"Policy {arn} does not exist or is not attachable." in stack.reasons()
    other = Stack(server, unique("entity"))
    other.create({"Role": role()})
    name = other.physical("Role")
    assert error_code(lambda: iam.attach_role_policy(RoleName=name, PolicyArn=arn)) == "NoSuchEntity"


@scenario
def managed_policies_are_not_adopted(server: Localcloud) -> None:
    iam, name = server.client("iam"), unique("taken")
    iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(DENY_ALL))
    for properties, text in (
        ({"ManagedPolicyName": name}, "already exists"),
        ({"Roles": ["nobody"]}, "The role with name nobody cannot be found."),
    ):
        stack, policy = Stack(server, unique("policy")), {"PolicyDocument": DENY_ALL, **properties}
        status = stack.create({"Deny": {"Type": "AWS::IAM::ManagedPolicy", "Properties": policy}})
        assert status == "ROLLBACK_COMPLETE"
        assert text in stack.reasons()


@scenario
def attaching_is_limited_by_entity_and_policy(server: Localcloud) -> None:
    """A role that may attach one policy to roles below one path, and to nothing else."""
    iam, path, names = server.client("iam"), f"/{unique('path')}/", [unique(name) for name in ("in", "out")]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for name, where in zip(names, (path, "/"), strict=True):
        iam.create_role(RoleName=name, Path=where, AssumeRolePolicyDocument=document)
    policies = [
        iam.create_policy(PolicyName=unique(name), PolicyDocument=json.dumps(DENY_ALL))["Policy"]["Arn"]
        for name in ("right", "wrong")
    ]
    allow = {
        "Effect": "Allow",
        "Action": "iam:AttachRolePolicy",
        "Resource": f"arn:aws:iam::000000000000:role{path}*",
        "Condition": {"ArnEquals": {"iam:PolicyARN": policies[0]}},
    }
    client = assumed(server, "iam", allow)
    client.attach_role_policy(RoleName=names[0], PolicyArn=policies[0])
    for name, policy in ((names[0], policies[1]), (names[1], policies[0])):
        assert error_code(partial(client.attach_role_policy, RoleName=name, PolicyArn=policy)) == "AccessDenied"


@scenario
def conditions_join(server: Localcloud) -> None:
    """As CDK's bootstrap template asks whether it was given a list of policies."""
    cfn, name = server.client("cloudformation"), unique("condition")
    given = {"Fn::Not": [{"Fn::Equals": ["", {"Fn::Join": ["", {"Ref": "Given"}]}]}]}
    template = {
        "Parameters": {"Given": {"Type": "CommaDelimitedList", "Default": ""}},
        "Conditions": {"HasGiven": given},
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}},
        "Outputs": {"Given": {"Value": {"Fn::If": ["HasGiven", "some", "none"]}}},
    }
    cfn.create_stack(StackName=name, TemplateBody=json.dumps(template))
    (output,) = eventually(lambda: cfn.describe_stacks(StackName=name)["Stacks"][0].get("Outputs"))
    assert output["OutputValue"] == "none"
    cfn.update_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "Given", "ParameterValue": "a,b"}],
    )
    eventually(lambda: cfn.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"] == "some")


@scenario
def permissions_boundary_is_kept(server: Localcloud) -> None:
    stack, wanted = Stack(server, unique("bound")), role()
    wanted["Properties"]["PermissionsBoundary"] = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    stack.create({"Role": wanted})
    found = server.client("iam").get_role(RoleName=stack.physical("Role"))["Role"]
    boundary = found.get("PermissionsBoundary", {})
    assert boundary.get("PermissionsBoundaryArn") == "arn:aws:iam::aws:policy/ReadOnlyAccess"


@scenario
def used_network_parts_are_not_deleted(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    inner, outer = (
        ec2.create_security_group(VpcId=vpc, GroupName=unique(name), Description=name)["GroupId"]
        for name in ("inner", "outer")
    )
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    peer = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": [{"GroupId": inner}]}
    ec2.authorize_security_group_ingress(GroupId=outer, IpPermissions=[peer])
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]

    violation = "DependencyViolation"
    assert error_code(lambda: ec2.delete_subnet(SubnetId=subnet)) == violation
    assert error_code(lambda: ec2.delete_security_group(GroupId=inner)) == violation
    assert error_code(lambda: ec2.delete_internet_gateway(InternetGatewayId=gateway)) == violation
    overlap = error_code(lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.128/25"))
    assert overlap == "InvalidSubnet.Conflict"

    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.revoke_security_group_ingress(GroupId=outer, IpPermissions=[peer])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_security_group(GroupId=inner)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


@scenario
def attributes_of_network_and_buckets_are_complete(server: Localcloud) -> None:
    resources: Resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.6.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8]}]},
            },
        },
        "Data": {"Type": "AWS::S3::Bucket"},
    }
    names = [("Vpc", "CidrBlock"), ("Subnet", "VpcId"), ("Data", "DualStackDomainName")]
    outputs = {f"{name}{attribute}": {"Value": {"Fn::GetAtt": [name, attribute]}} for name, attribute in names}
    stack = Stack(server, unique("attributes"))
    assert stack.create(resources, outputs) == "CREATE_COMPLETE", stack.reasons()
    found = {item["OutputKey"]: item["OutputValue"] for item in stack.describe()["Outputs"]}
    assert found["VpcCidrBlock"] == "10.6.0.0/16"
    assert found["SubnetVpcId"] == stack.physical("Vpc")
    assert found["DataDualStackDomainName"].startswith(stack.physical("Data"))


@scenario
def stack_waits_for_foreign_interfaces(server: Localcloud) -> None:
    """What SageMaker's Domain does to a VPC: a file system that the stack does not know holds the subnet."""
    ec2, efs, stack = server.client("ec2"), server.client("efs"), Stack(server, unique("net"))
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.8.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.8.1.0/24"},
        },
    }
    stack.create(resources)
    subnet = stack.physical("Subnet")
    files = efs.create_file_system(CreationToken=unique("efs"))["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=files, SubnetId=subnet)
    listed = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])["NetworkInterfaces"]
    assert [item["NetworkInterfaceId"] for item in listed] == [target["NetworkInterfaceId"]]
    assert stack.delete() == "DELETE_FAILED"
    assert stack.statuses() == {"Subnet": "DELETE_FAILED", "Vpc": "CREATE_COMPLETE"}
    efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def interfaces_are_found_by_filters(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
    group = ec2.create_security_group(VpcId=vpc, GroupName=unique("eni"), Description="eni")["GroupId"]
    first, second = (
        ec2.create_network_interface(SubnetId=subnet, Groups=[group], Description=f"made for {subnet}")[
            "NetworkInterface"
        ]["NetworkInterfaceId"]
        for subnet in subnets
    )

    def found(**filters: str) -> set[str]:
        asked = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        return {
            item["NetworkInterfaceId"] for item in ec2.describe_network_interfaces(Filters=asked)["NetworkInterfaces"]
        }

    assert found(vpc_id=vpc) == {first, second}
    assert found(vpc_id=vpc, subnet_id=subnets[0]) == {first}
    assert found(group_id=group, description=f"made for {subnets[1][:-2]}*") == {second}
    assert found(vpc_id="vpc-none") == set()
    ec2.attach_network_interface(NetworkInterfaceId=first, InstanceId="i-0123456789abcdef0", DeviceIndex=1)
    assert error_code(lambda: ec2.delete_network_interface(NetworkInterfaceId=first)) == "InvalidParameterValue"
    ec2.delete_network_interface(NetworkInterfaceId=second)
    assert found(vpc_id=vpc) == {first}


@scenario
def interface_endpoints_are_listed_hold_their_network_and_take_time(server: Localcloud) -> None:
    ec2, stack = server.client("ec2"), Stack(server, unique("private"))
    names = {"EnableDnsSupport": True, "EnableDnsHostnames": True}
    resources: Resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.5.0.0/16", **names}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "endpoints", "VpcId": {"Ref": "Vpc"}},
        },
    }
    for zone in range(2):
        resources[f"Subnet{zone}"] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"10.5.{zone}.0/24",
                "AvailabilityZone": {"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
            },
        }
    for service in ("sagemaker.api", "sts"):
        resources[service.replace(".", "").capitalize()] = {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "ServiceName": f"com.amazonaws.us-east-1.{service}",
                "VpcEndpointType": "Interface",
                "PrivateDnsEnabled": True,
                "SubnetIds": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
                "PolicyDocument": DENY_ALL,
                "Tags": [{"Key": "sandcastle:environment", "Value": stack.name}],
            },
        }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    mine = [{"Name": "tag:sandcastle:environment", "Values": [stack.name]}]
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=mine, PaginationConfig={"PageSize": 1})
    found = {item["VpcEndpointId"]: item for page in pages for item in page["VpcEndpoints"]}
    assert sorted(found) == sorted(stack.physical(name) for name in ("Sagemakerapi", "Sts"))
    group = stack.physical("Group")
    for endpoint in found.values():
        assert endpoint["State"] == "available"
        assert endpoint.get("PrivateDnsEnabled")
        assert [item["GroupId"] for item in endpoint["Groups"]] == [group]
        assert json.loads(endpoint["PolicyDocument"]) == DENY_ALL
        listed = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
        assert {item["SubnetId"] for item in listed["NetworkInterfaces"]} == set(endpoint["SubnetIds"])
    other = [{"Name": "vpc-id", "Values": ["vpc-other"]}]
    assert ec2.describe_vpc_endpoints(Filters=other)["VpcEndpoints"] == []

    again = partial(
        ec2.create_vpc_endpoint,
        VpcId=stack.physical("Vpc"),
        ServiceName="com.amazonaws.us-east-1.sts",
        VpcEndpointType="Interface",
        SubnetIds=[stack.physical("Subnet0")],
    )
    assert error_code(again) == "InvalidParameter"  # its private name is taken
    assert error_code(lambda: ec2.delete_security_group(GroupId=group)) == "DependencyViolation"
    counted = [
        r for r in server.admin("GET", "meter")["readings"] if r["tags"].get("sandcastle:environment") == stack.name
    ]
    assert [(reading["quantity"], reading["running"]) for reading in counted] == [(2, True)] * 2
    ec2.delete_vpc_endpoints(VpcEndpointIds=[stack.physical("Sts")])
    (going,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[stack.physical("Sts")])["VpcEndpoints"]
    assert going["State"] == "deleting"
    assert error_code(lambda: ec2.delete_security_group(GroupId=group)) == "DependencyViolation"
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()
    counted = [
        r for r in server.admin("GET", "meter")["readings"] if r["tags"].get("sandcastle:environment") == stack.name
    ]
    assert not any(reading["running"] for reading in counted)


@scenario
def private_names_need_a_network_with_names(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.4.{n}.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
        for n in range(2)
    ]
    make = partial(
        ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.sts", VpcEndpointType="Interface"
    )
    with_names = partial(make, SubnetIds=subnets[:1])
    assert error_code(with_names) == "InvalidParameter"
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert error_code(partial(make, SubnetIds=subnets)) == "DuplicateSubnetsInSameZone"
    endpoint = with_names()["VpcEndpoint"]
    assert (endpoint["State"], endpoint["Groups"][0]["GroupName"]) == ("pending", "default")
    assert error_code(lambda: ec2.delete_subnet(SubnetId=subnets[0])) == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])


@scenario
def failed_delete_holds_back_its_dependencies(server: Localcloud) -> None:
    name = unique("order")
    stack = Stack(server, name)
    assert stack.create(provider(name, Delete="FAILED")) == "CREATE_COMPLETE", stack.reasons()
    assert stack.delete() == "DELETE_FAILED"
    held = {"Thing": "DELETE_FAILED", "Function": "CREATE_COMPLETE", "Role": "CREATE_COMPLETE"}
    assert stack.statuses() == held
    assert stack.describe()["StackStatusReason"].strip() == "The following resource(s) failed to delete: [Thing]."
    repaired = {"Variables": {"ANSWERS": "{}", "NAME": name}}
    server.client("lambda").update_function_configuration(FunctionName=stack.physical("Function"), Environment=repaired)
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def failed_create_is_deleted_by_the_rollback(server: Localcloud) -> None:
    name = unique("failing")
    stack = Stack(server, name)
    assert stack.create(provider(name, Create="FAILED")) == "ROLLBACK_COMPLETE"
    assert "on purpose" in stack.reasons()
    told = server.client("ssm").get_parameter(Name=f"/{name}/Delete")["Parameter"]["Value"]
    assert told == f"{name}-thing"


def repair(server: Localcloud, stack: Stack) -> None:
    """Make the provider function of a stack answer SUCCESS to everything."""
    name = stack.physical("Function")
    environment = {"Variables": {"ANSWERS": "{}", "NAME": stack.name}}
    server.client("lambda").update_function_configuration(FunctionName=name, Environment=environment)


#: a resource that cannot be made, after a custom resource was
BROKEN: dict[str, Any] = {
    "Type": "AWS::S3::BucketPolicy",
    "DependsOn": "Thing",
    "Properties": {"Bucket": "nobody-has-this", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


@scenario
def failed_rollback_keeps_what_it_could_not_delete(server: Localcloud) -> None:
    name, ssm = unique("rollback"), server.client("ssm")
    stack = Stack(server, name)
    assert stack.create({**provider(name, Delete="FAILED"), "Broken": BROKEN}) == "ROLLBACK_FAILED"
    assert stack.describe()["StackStatusReason"].strip() == "The following resource(s) failed to delete: [Thing]."
    held = {"Thing": "DELETE_FAILED", "Function": "CREATE_COMPLETE", "Role": "CREATE_COMPLETE"}
    assert stack.statuses() == held
    assert error_code(lambda: stack.update(provider(name))) == "ValidationError"
    assert stack.delete() == "DELETE_FAILED"
    repair(server, stack)
    function_name = stack.physical("Function")
    assert stack.delete() == "DELETE_COMPLETE"
    assert ssm.get_parameter(Name=f"/{name}/Delete")["Parameter"]["Version"] == 3
    gone = error_code(lambda: server.client("lambda").get_function(FunctionName=function_name))
    assert gone == "ResourceNotFoundException"


@scenario
def failed_update_rollback_can_be_continued_skipped_or_deleted(server: Localcloud) -> None:
    ssm, deletes = server.client("ssm"), {}
    for finish in ("continue", "skip", "delete"):
        name = unique(finish)
        stack, resources = Stack(server, name), provider(name, Update="FAILED", Delete="FAILED")
        assert stack.create(resources) == "CREATE_COMPLETE"
        thing = resources["Thing"]
        new = {**thing, "Type": "Custom::New"}
        changed = {**thing, "DependsOn": "New", "Properties": {**thing["Properties"], "Changed": "yes"}}
        # New is made, Thing fails to change and to change back, and then New fails to be deleted
        assert stack.update({**resources, "New": new, "Thing": changed}) == "UPDATE_ROLLBACK_FAILED"
        if finish == "delete":
            assert stack.statuses().get("New") == "DELETE_FAILED"
            repair(server, stack)
            assert stack.delete() == "DELETE_COMPLETE"
        elif finish == "skip":
            stack.cfn.continue_update_rollback(StackName=name, ResourcesToSkip=["Thing", "New"])
            assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
            assert "New" not in stack.statuses()
        else:
            stack.cfn.continue_update_rollback(StackName=name)
            assert stack.settled() == "UPDATE_ROLLBACK_FAILED"
            repair(server, stack)
            stack.cfn.continue_update_rollback(StackName=name)
            assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
            assert "New" not in stack.statuses()
        deletes[finish] = ssm.get_parameter(Name=f"/{name}/Delete")["Parameter"]["Version"]
    # the rollback's own, then New and Thing; the rollback's own; the rollback's own and two more
    assert deletes == {"delete": 3, "skip": 1, "continue": 3}


@scenario
def delete_cancels_a_running_create(server: Localcloud) -> None:
    name, ssm = unique("cancel"), server.client("ssm")
    stack = Stack(server, name)
    stack.create(provider(name, Create="SILENT"), wait=False)
    eventually(lambda: ssm.get_parameters(Names=[f"/{name}/Create"])["Parameters"])
    function_name = stack.physical("Function")
    assert stack.delete() == "DELETE_COMPLETE"
    assert ssm.get_parameters(Names=[f"/{name}/Delete"])["Parameters"], "the custom resource was never told"
    gone = error_code(lambda: server.client("lambda").get_function(FunctionName=function_name))
    assert gone == "ResourceNotFoundException"


@scenario
def delete_is_refused_during_an_update(server: Localcloud) -> None:
    name, ssm = unique("busy"), server.client("ssm")
    stack, resources = Stack(server, name), provider(name, Update="SILENT")
    stack.create(resources)
    resources["Thing"]["Properties"] |= {"Changed": "yes", "ServiceTimeout": "2"}
    stack.update(resources, wait=False)
    eventually(lambda: ssm.get_parameters(Names=[f"/{name}/Update"])["Parameters"])
    assert error_code(lambda: stack.cfn.delete_stack(StackName=name)) == "ValidationError"


@scenario
def crashed_provider_is_tried_three_times_and_fails_at_once(server: Localcloud) -> None:
    name = unique("crash")
    stack, resources = Stack(server, name), provider(name, Create="CRASH")
    stack.create(resources, wait=False)
    assert stack.settled(10) == "ROLLBACK_COMPLETE"
    assert "KeyError: 'no answer from me'" in stack.reasons()
    # CloudFormation invokes asynchronously: Lambda tries three times. The parameter is written each time.
    assert server.client("ssm").get_parameter(Name=f"/{name}/Create")["Parameter"]["Version"] == 3


@scenario
def updates_report_only_what_they_change(server: Localcloud) -> None:
    def group(days: int) -> dict[str, Any]:
        return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}

    stack = Stack(server, unique("events"))
    stack.create({"Same": group(1), "Other": group(1)})
    before = len(stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"])
    assert stack.update({"Same": group(1), "Other": group(3), "New": group(1)}) == "UPDATE_COMPLETE"
    events = stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"][:-before]
    seen = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)]
    assert set(seen[1:-1]) == {
        ("Other", "UPDATE_IN_PROGRESS"),
        ("Other", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
    }
    broken = role()
    broken["Properties"]["Colour"] = "red"
    assert stack.update({"Same": group(1), "Role": broken}) == "UPDATE_ROLLBACK_COMPLETE"
    events = stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"]
    assert ("Role", "CREATE_FAILED") in [(e["LogicalResourceId"], e["ResourceStatus"]) for e in events]


@scenario
def imported_exports_are_protected(server: Localcloud) -> None:
    export, bucket = unique("export"), {"Data": {"Type": "AWS::S3::Bucket"}}

    def outputs(value: str) -> dict[str, Any]:
        return {"Name": {"Value": value, "Export": {"Name": export}}}

    exporter, importer, rival = (Stack(server, unique(n)) for n in ("exporter", "importer", "rival"))
    assert exporter.create(bucket, outputs("one")) == "CREATE_COMPLETE"
    parameter = {"Type": "String", "Value": {"Fn::ImportValue": export}}
    assert importer.create({"Copy": {"Type": "AWS::SSM::Parameter", "Properties": parameter}}) == "CREATE_COMPLETE"

    assert rival.create(bucket, outputs("mine")) == "ROLLBACK_COMPLETE"
    assert f"Export with name {export} is already exported by stack {exporter.name}" in rival.reasons()
    assert exporter.update(bucket, outputs("two")) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Export {export} cannot be updated as it is in use by {importer.name}" in exporter.reasons()
    assert exporter.update(bucket) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Export {export} cannot be deleted as it is in use by {importer.name}" in exporter.reasons()
    importer.delete()
    assert exporter.update(bucket) == "UPDATE_COMPLETE"
    assert export not in [item["Name"] for item in exporter.cfn.list_exports()["Exports"]]


@scenario
def unmodelled_properties_are_refused_by_name(server: Localcloud) -> None:
    stack = Stack(server, unique("unmodelled"))
    resources = {"Role": role(), "Function": function("def handler(e, c): pass", DeadLetterConfig={"TargetArn": "x"})}
    assert stack.create(resources) == "ROLLBACK_COMPLETE"
    assert "DeadLetterConfig" in stack.reasons()
    other = Stack(server, unique("runtime"))
    resources["Function"] = function("", Runtime="java21")
    assert other.create(resources) == "ROLLBACK_COMPLETE"
    assert "java21" in other.reasons()


@scenario
def function_errors_name_their_class(server: Localcloud) -> None:
    python = "class JobFailed(Exception): pass\ndef handler(event, context): raise JobFailed('no luck')"
    node = "exports.handler = async () => { const e = new Error('no luck'); e.name = 'JobFailed'; throw e; };"
    stack = Stack(server, unique("errors"))
    assert (
        stack.create({"Role": role(), "Python": function(python), "Node": function(node, Runtime="nodejs22.x")})
        == "CREATE_COMPLETE"
    ), stack.reasons()
    for kind in ("Python", "Node"):
        reply = server.client("lambda").invoke(FunctionName=stack.physical(kind))
        payload = json.load(reply["Payload"])
        assert (payload["errorType"], payload["errorMessage"]) == ("JobFailed", "no luck"), kind


@scenario
def functions_see_nothing_of_the_server(server: Localcloud) -> None:
    code = (
        "import importlib.util, os\n"
        "def handler(event, context):\n"
        "    found = [n for n in ('ministack', 'localcloud', 'hypercorn') if importlib.util.find_spec(n)]\n"
        "    return {'packages': found, 'sdk': bool(importlib.util.find_spec('boto3')), 'env': dict(os.environ)}"
    )
    stack = Stack(server, unique("worker"))
    stack.create({"Role": role(), "Function": function(code, {"MINE": "yes"})})
    seen = json.load(server.client("lambda").invoke(FunctionName=stack.physical("Function"))["Payload"])
    assert seen["packages"] == []
    assert seen["sdk"]
    assert seen["env"]["MINE"] == "yes"
    assert "LOCALCLOUD_PLANTED" not in seen["env"]  # set by the test that starts the servers
    assert not {"AUTH", "STATE_DIR", "GATEWAY_PORT"} & set(seen["env"])


@scenario
def subscriptions_and_permissions_need_what_they_name(server: Localcloud) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:nobody"
    permission = {"FunctionName": "nobody", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    subscription = {"TopicArn": topic, "Protocol": "email", "Endpoint": "ml@example.com"}
    for type_name, properties, text in (
        ("AWS::SNS::Subscription", subscription, f"Topic does not exist: {topic}"),
        ("AWS::Lambda::Permission", permission, "Function not found: nobody"),
    ):
        stack = Stack(server, unique("nobody"))
        assert stack.create({"Thing": {"Type": type_name, "Properties": properties}}) == "ROLLBACK_COMPLETE"
        assert text in stack.reasons()


@scenario
def functions_log_as_their_role(server: Localcloud) -> None:
    """Nothing without permission; into the group that is there; into a new one only with logs:CreateLogGroup."""
    logs, group = server.client("logs"), f"/test/{unique('group')}"
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    writes = ["logs:CreateLogStream", "logs:PutLogEvents"]

    def invoked(*actions: str) -> list[str]:
        allowed = [{"Effect": "Allow", "Action": list(actions), "Resource": arn}] if actions else []
        stack = Stack(server, unique("logging"))
        code = "def handler(event, context): print('hello')"
        made = function(code, LoggingConfig={"LogGroup": group})
        assert stack.create({"Role": role(*allowed), "Function": made}) == "CREATE_COMPLETE", stack.reasons()
        server.client("lambda").invoke(FunctionName=stack.physical("Function"))
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    assert invoked() == []
    assert invoked(*writes) == []
    assert any("hello" in line for line in invoked(*writes, "logs:CreateLogGroup"))
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert any("hello" in line for line in invoked(*writes))


@scenario
def workers_end_with_their_function(server: Localcloud) -> None:
    stack = Stack(server, unique("warm"))
    stack.create({"Role": role(), "Function": function("import os\ndef handler(e, c): return os.getpid()")})
    pid = json.load(server.client("lambda").invoke(FunctionName=stack.physical("Function"))["Payload"])
    os.kill(pid, 0)
    stack.delete()

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    eventually(gone, 3)


def assumed(server: Localcloud, service: str, statement: dict[str, Any]) -> Any:
    """A client of a role that may do what the statement says."""
    trusting, stack = role(statement), Stack(server, unique("assumed"))
    trusting["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}
    stack.create({"Role": trusting})
    role_arn = f"arn:aws:iam::000000000000:role/{stack.physical('Role')}"
    session = server.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")
    return server.client(service, session["Credentials"])


@scenario
def metrics_are_limited_by_namespace(server: Localcloud) -> None:
    mine = "/aws/sagemaker/TrainingJobs"
    allow = {
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": mine}},
    }
    client = assumed(server, "cloudwatch", allow)
    point = [{"MetricName": "loss", "Value": 1.0}]
    client.put_metric_data(Namespace=mine, MetricData=point)
    refused = partial(client.put_metric_data, Namespace="Other", MetricData=point)
    assert "AccessDenied" in error_code(refused)


@scenario
def log_policies_match_as_on_aws(server: Localcloud) -> None:
    logs, group = server.client("logs"), f"/test/{unique('arn')}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:PutRetentionPolicy"]

    def as_role(resource: str) -> Any:
        return assumed(server, "logs", {"Effect": "Allow", "Action": actions, "Resource": resource})

    with_star = as_role(f"{arn}:*")
    with_star.create_log_stream(logGroupName=group, logStreamName="one")
    with_star.put_retention_policy(logGroupName=group, retentionInDays=1)
    event = {"timestamp": 0, "message": "x"}
    with_star.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])
    one_stream = as_role(f"{arn}:log-stream:two*")
    one_stream.create_log_stream(logGroupName=group, logStreamName="two-1")
    denied = "AccessDeniedException"
    for client in (one_stream, as_role(arn)):
        refused = partial(client.create_log_stream, logGroupName=group, logStreamName="three")
        assert error_code(refused) == denied


@scenario
def stacks_are_authorised_by_their_tags(server: Localcloud) -> None:
    cfn, mine, other = server.client("cloudformation"), unique("sandcastle-a"), unique("sandcastle-b")
    template = json.dumps({"Resources": {"Data": {"Type": "AWS::S3::Bucket"}}})
    for name, owner in ((mine, "a"), (other, "b")):
        cfn.create_stack(
            StackName=name, TemplateBody=template, Tags=[{"Key": "sandcastle:environment", "Value": owner}]
        )
        assert Stack(server, name).settled() == "CREATE_COMPLETE"
    allow = {
        "Effect": "Allow",
        "Action": ["cloudformation:DeleteStack", "cloudformation:DescribeStacks"],
        "Resource": "arn:aws:cloudformation:us-east-1:000000000000:stack/sandcastle-*/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/sandcastle:environment": "a"}},
    }
    client = assumed(server, "cloudformation", allow)
    identifier = cfn.describe_stacks(StackName=mine)["Stacks"][0]["StackId"]
    assert client.describe_stacks(StackName=identifier)["Stacks"][0]["StackName"] == mine
    for refused in (
        partial(client.delete_stack, StackName=other),
        partial(client.delete_stack, StackName=cfn.describe_stacks(StackName=other)["Stacks"][0]["StackId"]),
        client.describe_stacks,
    ):
        assert error_code(refused) == "AccessDenied"
    client.delete_stack(StackName=mine)
    eventually(lambda: cfn.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE")
    listed = server.client("resourcegroupstaggingapi").get_resources(
        ResourceTypeFilters=["cloudformation:stack"], TagFilters=[{"Key": "sandcastle:environment"}]
    )["ResourceTagMappingList"]
    assert [item["ResourceARN"].split("/")[1] for item in listed] == [other]


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


def zipped(code: str) -> bytes:
    """A deployment package with one index.py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", code)
    return buffer.getvalue()


@scenario
def a_rule_is_revoked_as_it_was_described(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    one, other = (
        ec2.create_security_group(GroupName=unique(name), Description=name, VpcId=vpc)["GroupId"]
        for name in ("one", "other")
    )
    for port in (2049, 988):
        pair = {"GroupId": other}
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [pair]}
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])

    def rules() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"][0]["IpPermissions"]
        return found

    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=rules()[:1])
    assert [rule["FromPort"] for rule in rules()] == [988]
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=rules())
    assert rules() == []


@scenario
def policy_variables_have_values(server: Localcloud) -> None:
    iam, s3 = server.client("iam"), server.client("s3")
    bucket, name = unique("homes"), unique("ada")
    s3.create_bucket(Bucket=bucket)
    iam.create_user(UserName=name)
    own = f"arn:aws:s3:::{bucket}/${{aws:username}}/*"
    statements = [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": [own, f"arn:aws:s3:::{bucket}/${{aws:nothing}}*"]},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/${{aws:nothing, 'all'}}/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/${{aws:username}}/secret"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
    user = server.client("s3", iam.create_access_key(UserName=name)["AccessKey"])
    for key in (f"{name}/x", "all/x"):
        user.put_object(Bucket=bucket, Key=key, Body=b"")
    for key in ("grace/x", f"{name}/secret", "x"):
        assert error_code(lambda key=key: user.put_object(Bucket=bucket, Key=key, Body=b"")) == "AccessDenied"


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
def security_groups_are_found_by_wildcards(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    name = unique("security-group-for")
    for way in ("inbound", "outbound"):
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "way", "Value": way}]}]
        ec2.create_security_group(
            GroupName=f"{name}-{way}-nfs", Description=f"about {way}", VpcId=vpc, TagSpecifications=tags
        )

    def found(**filters: str) -> list[str]:
        asked = [
            {"Name": key.replace("__", ":").replace("_", "-"), "Values": [value]} for key, value in filters.items()
        ]
        return [group["GroupName"] for group in ec2.describe_security_groups(Filters=asked)["SecurityGroups"]]

    assert found(group_name=f"{name}-*") == [f"{name}-inbound-nfs", f"{name}-outbound-nfs"]
    assert found(vpc_id=vpc, description="about in*") == [f"{name}-inbound-nfs"]
    assert found(vpc_id=vpc, tag__way="outbound") == [f"{name}-outbound-nfs"]
    assert found(group_name=f"{name}-none-*") == []
    assert error_code(lambda: found(no_such="x")) == "InvalidParameterValue"
