"""The foundation: buckets and network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.synthesis import ROOT, Synthesis, Template, resources, synthesise


@pytest.fixture
def template(each: Synthesis) -> Template:
    return each.template("foundation")


def statements(template: Template, bucket: str) -> list[dict[str, Any]]:
    for policy in resources(template, "AWS::S3::BucketPolicy").values():
        if policy["Properties"]["Bucket"] == {"Ref": bucket}:
            found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
            return found
    raise AssertionError(f"{bucket} has no policy")


def test_there_are_four_buckets_with_generated_names(template: Template) -> None:
    buckets = resources(template, "AWS::S3::Bucket")
    assert len(buckets) == 4
    assert all("BucketName" not in bucket["Properties"] for bucket in buckets.values())


def test_buckets_are_encrypted_private_and_owned(template: Template) -> None:
    for bucket in resources(template, "AWS::S3::Bucket").values():
        properties = bucket["Properties"]
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Delete"


def test_buckets_refuse_requests_without_tls(template: Template) -> None:
    for name in resources(template, "AWS::S3::Bucket"):
        (denial,) = (one for one in statements(template, name) if one["Effect"] == "Deny")
        arn = {"Fn::GetAtt": [name, "Arn"]}
        assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert denial["Principal"] == {"AWS": "*"}
        assert denial["Action"] == "s3:*"
        assert denial["Resource"] == [arn, {"Fn::Join": ["", [arn, "/*"]]}]


def test_unfinished_uploads_end_and_access_logs_expire(template: Template) -> None:
    expiring = 0
    for bucket in resources(template, "AWS::S3::Bucket").values():
        rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
        assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert all(rule["Status"] == "Enabled" for rule in rules.values())
        expiring += any("ExpirationInDays" in rule for rule in rules.values())
    assert expiring == 2


def test_requests_that_are_kept_expire_and_nothing_else_of_the_reports(template: Template) -> None:
    reports = template["Resources"][template["Outputs"]["ReportsBucket"]["Value"]["Ref"]]["Properties"]
    rules = [rule for rule in reports["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    assert rules == [
        {"Id": f"expire-{kept}", "Status": "Enabled", "ExpirationInDays": 30, "Prefix": f"{kept}/"}
        for kept in ("capture", "async")
    ]


def test_cloudformation_waits_longer_than_functions_run(each: Synthesis) -> None:
    found = 0
    for template in each.templates.values():
        for resource in template["Resources"].values():
            if "ServiceTimeout" in resource["Properties"]:
                function = template["Resources"][resource["Properties"]["ServiceToken"]["Fn::GetAtt"][0]]
                assert resource["Properties"]["ServiceTimeout"] >= function["Properties"]["Timeout"] + 60
                found += 1
    assert found >= 4 + len(each.workloads)


def test_all_buckets_but_the_log_bucket_are_logged_into_it(template: Template) -> None:
    targets = [
        bucket["Properties"].get("LoggingConfiguration", {}).get("DestinationBucketName")
        for bucket in resources(template, "AWS::S3::Bucket").values()
    ]
    (log_bucket,) = {target["Ref"] for target in targets if target}
    assert targets.count(None) == 1
    (writer,) = (one for one in statements(template, log_bucket) if one["Effect"] == "Allow")
    assert writer["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert writer["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def endpoints(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Return the VPC endpoints of a kind by the last part of their service's name."""
    found = [one["Properties"] for one in resources(template, "AWS::EC2::VPCEndpoint").values()]
    return {one["ServiceName"].split(".", 3)[3]: one for one in found if one["VpcEndpointType"] == kind}


def test_network_has_two_private_subnets_and_a_way_to_s3(template: Template) -> None:
    kinds = {one["Type"] for one in resources(template, "AWS::EC2::*").values()}
    assert kinds == {
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::VPCEndpoint",
    }
    subnets = resources(template, "AWS::EC2::Subnet").values()
    assert len({str(one["Properties"]["AvailabilityZone"]) for one in subnets}) == 2
    assert not any(one["Properties"]["MapPublicIpOnLaunch"] for one in subnets)
    gateways = endpoints(template, "Gateway")
    assert set(gateways) == {"s3"}
    allowed = gateways["s3"]["PolicyDocument"]["Statement"][0]
    assert set(allowed["Action"]) == {
        f"s3:{name}"
        for name in (
            "AbortMultipartUpload",
            "DeleteObject",
            "GetBucketLocation",
            "GetObject",
            "ListBucket",
            "PutObject",
        )
    }
    assert len(allowed["Resource"]) == 6


def members(template: Template) -> str:
    """Return the security group of what is in the network."""
    (found,) = (key for key in resources(template, "AWS::EC2::SecurityGroup") if "Members" in key)
    return found


def let_out(template: Template) -> set[tuple[str, int, int]]:
    rules = template["Resources"][members(template)]["Properties"]["SecurityGroupEgress"]
    assert all(rule["IpProtocol"] == "tcp" for rule in rules)
    return {(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in rules}


def test_members_of_the_network_reach_each_other_and_nobody_else_reaches_them(template: Template) -> None:
    group = members(template)
    assert "SecurityGroupIngress" not in template["Resources"][group]["Properties"]
    assert let_out(template) == {("0.0.0.0/0", 443, 443)}
    own = {"Fn::GetAtt": [group, "GroupId"]}
    for way, other in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId")):
        (rule,) = resources(template, f"AWS::EC2::SecurityGroup{way}").values()
        assert rule["Properties"][other] == rule["Properties"]["GroupId"] == own
        assert (rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) == (8192, 65535)


def with_settings(folder: Path, *lines: str) -> Template:
    """Return the foundation of an environment with a Studio that has these settings."""
    shutil.copytree(ROOT / "assets", folder / "assets", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "environments").mkdir()
    text = "name: probe\nregion: us-east-1\nmonthly_budget_usd: 500\nexpires_after: never\nworkloads: {bank: {}}\n"
    (folder / "environments" / "probe.yaml").write_text(text + "\n".join(lines))
    return synthesise("probe", folder).template("foundation")


def test_without_internet_the_services_are_reached_through_endpoints_of_ones_own(tmp_path: Path) -> None:
    template = with_settings(tmp_path, "studio: {network: vpc-only, users: [ada]}")
    found = endpoints(template, "Interface")
    assert set(found) == {"sagemaker.api", "sagemaker.runtime", "sts", "logs"}
    (guard,) = (key for key in resources(template, "AWS::EC2::SecurityGroup") if "Members" not in key)
    for endpoint in found.values():
        assert endpoint["PrivateDnsEnabled"] is True
        assert len(endpoint["SubnetIds"]) == len(resources(template, "AWS::EC2::Subnet"))
        assert endpoint["SecurityGroupIds"] == [{"Fn::GetAtt": [guard, "GroupId"]}]
        (allowed,) = endpoint["PolicyDocument"]["Statement"]
        assert allowed["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
    (rule,) = template["Resources"][guard]["Properties"]["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"]) == (443, 443)
    assert "Members" in rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]


def test_without_internet_s3_gives_the_tutorials_of_these_workloads_too_and_nothing_else(tmp_path: Path) -> None:
    template = with_settings(tmp_path, "studio: {network: vpc-only, users: [ada]}")
    _, readable = endpoints(template, "Gateway")["s3"]["PolicyDocument"]["Statement"]
    assert readable["Action"] == ["s3:GetObject"]
    assert len(readable["Resource"]) == 3  # everyone's, the shared code's and the one workload's
    assert all("*" not in json.dumps(resource) and ".zip" in json.dumps(resource) for resource in readable["Resource"])


def test_nfs_is_let_out_for_a_home_file_system_only(tmp_path: Path) -> None:
    template = with_settings(tmp_path, "studio: {home_efs: true, users: [ada]}")
    assert ("10.42.0.0/16", 2049, 2049) in let_out(template)
    assert endpoints(template, "Interface") == {}


def test_outputs(template: Template) -> None:
    keys = {key for key, output in template["Outputs"].items() if "Export" not in output}
    assert keys == {"DataBucket", "ModelsBucket", "ReportsBucket"}
