"""Roles, policies and what calls are authorised on."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.localcloud.core.scenarios.registry import DENY_ALL, assumed, error_code, scenario
from tests.localcloud.core.stacks import Stack, eventually, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud


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
def roles_with_a_path_are_simulated(server: Localcloud) -> None:
    iam, name = server.client("iam"), unique("people")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, Path="/people/", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    found = {
        one: iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["s3:GetObject"], ResourceArns=[f"arn:aws:s3:::{one}/key"]
        )["EvaluationResults"][0]["EvalDecision"]
        for one in ("mine", "other")
    }
    assert found == {"mine": "allowed", "other": "implicitDeny"}


@scenario
def file_systems_are_authorised_by_their_tags(server: Localcloud) -> None:
    efs, ec2 = server.client("efs"), server.client("ec2")
    subnet = ec2.create_subnet(VpcId=ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"], CidrBlock="10.9.1.0/24")
    ids = {
        owner: efs.create_file_system(CreationToken=unique("home"), Tags=[{"Key": "Owner", "Value": owner}])[
            "FileSystemId"
        ]
        for owner in ("ada", "grace")
    }
    targets = {
        owner: efs.create_mount_target(FileSystemId=one, SubnetId=subnet["Subnet"]["SubnetId"])["MountTargetId"]
        for owner, one in ids.items()
    }
    every = "arn:aws:elasticfilesystem:us-east-1:000000000000:file-system/*"
    deleting = ["elasticfilesystem:DeleteFileSystem", "elasticfilesystem:DeleteMountTarget"]
    condition = {"StringEquals": {"aws:ResourceTag/Owner": "ada"}}
    ours = assumed(server, "efs", {"Effect": "Allow", "Action": deleting, "Resource": every, "Condition": condition})
    assert error_code(lambda: ours.delete_mount_target(MountTargetId=targets["grace"])) == "AccessDeniedException"
    assert error_code(lambda: ours.delete_file_system(FileSystemId=ids["grace"])) == "AccessDeniedException"
    ours.delete_mount_target(MountTargetId=targets["ada"])
    ours.delete_file_system(FileSystemId=ids["ada"])
    reading = ["elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeMountTargets"]
    reader = assumed(server, "efs", {"Effect": "Allow", "Action": reading, "Resource": every})
    assert ids["grace"] in [one["FileSystemId"] for one in reader.describe_file_systems()["FileSystems"]]
    (target,) = reader.describe_mount_targets(FileSystemId=ids["grace"])["MountTargets"]
    assert target["MountTargetId"] == targets["grace"]


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
def alarms_are_deleted_by_name(server: Localcloud) -> None:
    mine, other = unique("mine"), unique("other")
    root = server.client("cloudwatch")
    for name in (mine, other):
        root.put_metric_alarm(
            AlarmName=name, Namespace="Test", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:mine*"
    client = assumed(server, "cloudwatch", {"Effect": "Allow", "Action": "cloudwatch:DeleteAlarms", "Resource": arn})
    assert "AccessDenied" in error_code(partial(client.delete_alarms, AlarmNames=[other]))
    client.delete_alarms(AlarmNames=[mine])
    left = [alarm["AlarmName"] for alarm in root.describe_alarms(AlarmNames=[mine, other])["MetricAlarms"]]
    assert left == [other]


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
def rules_are_authorised_by_their_tags(server: Localcloud) -> None:
    events, names = server.client("events"), {owner: unique(owner) for owner in ("a", "b")}
    for owner, name in names.items():
        events.put_rule(
            Name=name, EventPattern='{"source": ["x"]}', Tags=[{"Key": "sandcastle:environment", "Value": owner}]
        )
    allow = {
        "Effect": "Allow",
        "Action": "events:DisableRule",
        "Resource": "arn:aws:events:us-east-1:000000000000:rule/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/sandcastle:environment": "a"}},
    }
    client = assumed(server, "events", allow)
    client.disable_rule(Name=names["a"])
    assert error_code(lambda: client.disable_rule(Name=names["b"])) == "AccessDeniedException"
    assert [events.describe_rule(Name=name)["State"] for name in names.values()] == ["DISABLED", "ENABLED"]
    by_name = assumed(server, "events", {**allow, "Resource": f"{allow['Resource'][:-1]}{names['a']}", "Condition": {}})
    by_name.disable_rule(Name=names["a"])


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
def policies_are_limited_in_size(server: Localcloud) -> None:
    """Spaces do not count, and all inline policies of a role count together, whoever has put them there."""
    iam, stack = server.client("iam"), Stack(server, unique("large"))

    def document(characters: int) -> dict[str, Any]:
        def of(bucket: str) -> dict[str, Any]:
            allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}"}
            return {"Version": "2012-10-17", "Statement": [allow]}

        return of("x" * (characters - len(json.dumps(of(""), separators=(",", ":")))))

    inline = {"PolicyName": "half", "Roles": [{"Ref": "Role"}], "PolicyDocument": document(5_120)}
    managed = {"PolicyDocument": document(6_144)}
    resources = {
        "Role": role(),
        "Half": {"Type": "AWS::IAM::Policy", "Properties": inline},
        "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": managed},
    }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    name = stack.physical("Role")
    put = partial(iam.put_role_policy, RoleName=name, PolicyName="rest")
    put(PolicyDocument=json.dumps(document(5_120), indent=4))
    assert error_code(lambda: put(PolicyDocument=json.dumps(document(5_121)))) == "LimitExceeded"
    larger = json.dumps(document(6_145))
    assert error_code(lambda: iam.create_policy(PolicyName=unique("p"), PolicyDocument=larger)) == "LimitExceeded"
    inline["PolicyDocument"] = document(5_121)
    assert stack.update(resources) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Maximum policy size of 10240 bytes exceeded for role {name}" in stack.reasons()
