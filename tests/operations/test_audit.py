"""The inventory finds and prices all that is an environment's and nothing of a neighbour's; the sweep removes it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.audit import Inventory, take_inventory
from operations.audit.everywhere import audit_everywhere
from operations.audit.finding import Finding, Owner
from operations.audit.inventory import COLLECTORS
from operations.console import Console
from operations.sweep import sweep
from operations.sweep.order import ORDER
from operations.target import Target
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import Workshop, wait_for
from tests.operations.furniture import Furniture

pytestmark = pytest.mark.localcloud

MOVING = ("processing job", "training job", "log stream", "log group", "warm pool", "network interface")
"""Kinds of which some come and go by themselves: schedules fire, jobs write."""


def owner(environment: str) -> Owner:
    return Owner(environment, "000000000000", "us-east-1")


def ask(target: Target, environment: str) -> Inventory:
    inventory = take_inventory(target, owner(environment))
    assert inventory.unanswered == {}
    return inventory


def still(inventory: Inventory) -> list[Any]:
    """What of an inventory must not change when somebody else's environment is swept."""
    kept = [one.document() for one in inventory.findings if one.kind not in MOVING]
    return [one | {"price": "" if one["kind"] == "budget" else one["price"]} for one in kept]  # it counts all budgets


def only(inventory: Inventory, kind: str) -> Finding:
    [found] = inventory.of(kind)
    return found


def test_an_environment_that_never_was_has_nothing(target: Target) -> None:
    inventory = ask(target, "never-was")
    assert inventory.clean
    assert inventory.monthly_usd == 0.0
    assert inventory.document()["asked"] == len(COLLECTORS)


EXPECTED = {
    "alarm": 3, "app": 1, "bucket": 1, "budget": 1, "budget action": 1, "dashboard": 1,
    "data quality job definition": 1, "domain": 1,
    "endpoint": 1, "endpoint config": 1, "event rule": 1, "file system": 2, "function": 1, "log group": 3,
    "model": 1, "model package": 1, "model package group": 1, "monitoring schedule": 1, "mount target": 4,
    "network interface": 6, "notebook instance": 1, "notebook lifecycle config": 1, "pipeline": 1,
    "pipeline execution": 1, "policy": 1, "processing job": 2, "role": 4, "route table": 1, "scalable target": 1,
    "schedule": 2, "schedule group": 1, "security group": 1, "space": 1, "state machine": 1,
    "studio lifecycle config": 1, "Studio security group": 4, "subnet": 2, "topic": 1, "training job": 2,
    "tuning job": 1, "user profile": 1, "vpc": 1, "vpc endpoint": 2, "warm pool": 1,
}  # fmt: skip

PRICED = {
    "endpoint": 0.115 * 730, "notebook instance": 0.05 * 730 + 5 * 0.14, "app": 0.05 * 730, "space": 10 * 0.112,
    "budget": 0.0, "dashboard": 3.0, "processing job": None, "training job": None, "tuning job": None,
    "pipeline execution": None, "monitoring schedule": None,
}  # fmt: skip


def test_everything_is_found_priced_and_swept_and_neighbours_keep_all_of_their_own(
    target: Target, server: Localcloud
) -> None:
    for environment in ("twin-2", "twin"):
        Furniture(target, server, environment).all()
    light = Furniture(target, server, "twi")
    light.storage()
    light.logs()
    light.watching()
    assert [one.monthly_usd for one in ask(target, "twin").of("dashboard")] == [0.0]  # an account has three free
    for name in ("not-ours", "nor-this"):
        target.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    before = {name: still(ask(target, name)) for name in ("twin-2", "twi")}
    inventory = ask(target, "twin")
    counts = Counter(finding.kind for finding in inventory.findings)
    streams = counts.pop("log stream")
    assert counts == EXPECTED
    assert streams >= 4 + 1 + 5
    assert {step.kind for step in ORDER} >= counts.keys()
    for kind, usd in PRICED.items():
        for finding in inventory.of(kind):
            assert finding.monthly_usd == (None if usd is None else pytest.approx(usd)), finding
    endpoints = sorted(finding.monthly_usd or 0.0 for finding in inventory.of("vpc endpoint"))
    assert endpoints == [0.0, pytest.approx(0.01 * 2 * 730)]
    bucket = only(inventory, "bucket")
    assert bucket.name == "left-by-twin"
    assert only(inventory, "app").remove.startswith("aws sagemaker delete-app --domain-id d-")
    for _ in range(3):
        refused = [one.refused for one in sweep(target, ask(target, "twin"), Console(as_json=True)) if one.refused]
        assert refused == []
    assert ask(target, "twin").clean
    running = [line for line in server.admin("GET", "meter")["readings"] if line["running"]]
    assert [line for line in running if line["tags"].get("sandcastle:environment") == "twin"] == []
    assert {name: still(ask(target, name)) for name in before} == before
    for name in before:
        for _ in range(3):
            sweep(target, ask(target, name), Console(as_json=True))
        assert ask(target, name).clean, name
    assert [line for line in server.admin("GET", "meter")["readings"] if line["running"]] == []


def test_a_bucket_is_counted_with_old_versions_and_unfinished_uploads(target: Target, server: Localcloud) -> None:
    Furniture(target, server, "counted").storage()
    bucket = only(ask(target, "counted"), "bucket")
    assert bucket.state == "4 objects, 1,700 bytes"
    assert bucket.monthly_usd == pytest.approx(1700 / 2**30 * 0.023)
    assert bucket.remove == "aws s3 rb s3://left-by-counted --force"


def test_a_tag_counts_more_than_a_name(target: Target) -> None:
    other = [{"Key": "sandcastle:environment", "Value": "other-one"}]
    target.client("sagemaker").create_model_package_group(
        ModelPackageGroupName="sandcastle-mine--but-not-mine", Tags=other
    )
    assert ask(target, "mine").findings == ()
    assert only(ask(target, "other-one"), "model package group").why == "tag sandcastle:environment"


def test_what_studio_started_is_known_by_its_domain(target: Target, server: Localcloud) -> None:
    house = Furniture(target, server, "domains")
    house.storage()
    house.network()
    house.workshop = Workshop("left-by-domains", house._role("studio", "sagemaker.amazonaws.com"))
    mine, sm = house._domain("mine"), target.client("sagemaker")
    house.tags = [{"Key": "sandcastle:environment", "Value": "domains-too"}]
    theirs = house._domain("theirs")  # a neighbour's domain in our network
    for name, domain in (("from-mine", mine), ("from-theirs", theirs)):
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:domain/{domain}"
        sm.create_model_package_group(ModelPackageGroupName=name, Tags=[{"Key": "sagemaker:domain-arn", "Value": arn}])
    found = ask(target, "domains")
    assert [one.name for one in found.of("model package group")] == ["from-mine"]
    assert only(found, "model package group").why == "tag sagemaker:domain-arn"
    assert [one.name for one in found.of("domain")] == [mine]
    assert len(found.of("file system")) == 1
    assert len(found.of("Studio security group")) == 2
    for name in ("domains-too", "domains"):
        assert [one.refused for one in sweep(target, ask(target, name), Console(as_json=True)) if one.refused] == []


def test_cloudformation_remembers_what_a_deleted_stack_had(target: Target, server: Localcloud) -> None:
    """A file system in a network without a tag, and a policy, which cannot have one, are known by the stack alone."""
    ec2 = target.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    role = Furniture(target, server, "memory-role")._role("studio", "sagemaker.amazonaws.com")
    statement = {"Effect": "Deny", "Action": "sagemaker:CreateEndpoint", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    domain = {"AuthMode": "IAM", "DomainName": "memory", "VpcId": vpc, "SubnetIds": [subnet]}
    resources = {
        "Domain": {
            "Type": "AWS::SageMaker::Domain",
            "Properties": {**domain, "DefaultUserSettings": {"ExecutionRole": role}},
        },
        "Policy": {
            "Type": "AWS::IAM::ManagedPolicy", "DeletionPolicy": "Retain", "Properties": {"PolicyDocument": document},
        },
    }  # fmt: skip
    for environment in ("memory", "memory-2"):
        _stack_that_is_deleted(target, f"sandcastle-{environment}-studio", environment, resources)
    found = ask(target, "memory")
    assert Counter(one.kind for one in found.findings) == {
        "file system": 1, "mount target": 1, "Studio security group": 2, "policy": 1,
    }  # fmt: skip
    assert only(found, "policy").why == "made by a stack of this environment"
    theirs = still(ask(target, "memory-2"))
    assert [one.refused for one in sweep(target, found, Console(as_json=True)) if one.refused] == []
    assert ask(target, "memory").clean
    assert still(ask(target, "memory-2")) == theirs
    sweep(target, ask(target, "memory-2"), Console(as_json=True))


def _stack_that_is_deleted(target: Target, name: str, environment: str, resources: Any) -> None:
    client = target.client("cloudformation")

    def status() -> str:
        return str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    stack = client.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "sandcastle:environment", "Value": environment}],
    )["StackId"]  # fmt: skip
    assert wait_for(status, lambda found: not found.endswith("_IN_PROGRESS")) == "CREATE_COMPLETE"
    client.delete_stack(StackName=stack)
    assert wait_for(status, lambda found: not found.endswith("_IN_PROGRESS")) == "DELETE_COMPLETE"


class Refusing:
    """A target in which one service refuses every question."""

    def __init__(self, target: Target, service: str) -> None:
        self._target, self._service = target, service

    def client(self, service: str) -> Any:
        if service != self._service:
            return self._target.client(service)
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, f"Any{service}")


@pytest.mark.parametrize(
    "service", ["s3", "sagemaker", "logs", "budgets", "ec2", "efs", "cloudformation", "scheduler", "iam"]
)
def test_a_service_that_refuses_is_named_and_never_taken_for_empty(target: Target, service: str) -> None:
    inventory = take_inventory(Refusing(target, service), owner("never-was"))
    assert not inventory.clean
    assert inventory.unanswered
    assert all("not authorized" in reason for reason in inventory.unanswered.values())


@pytest.mark.parametrize(
    ("environment", "name", "belongs"),
    [
        ("a", "sandcastle-a--bank", True),
        ("a", "sandcastle-a--bank--1a2b--c3", True),
        ("a", "sandcastle-a-b--bank", False),
        ("a-b", "sandcastle-a--bank", False),
        ("a", "sandcastle-ab--bank", False),
        ("a", "my-sandcastle-a--bank", False),
    ],
)
def test_run_time_names_belong_to_one_environment_only(environment: str, name: str, belongs: bool) -> None:
    assert (owner(environment).by_run_time_name(name) is not None) is belongs


def test_every_environment_is_found_by_its_stacks_or_by_what_it_left(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that stands costs what it costs; one that has no stack any more and left something is a finding."""
    tag = [{"Key": "sandcastle:environment", "Value": "left-over"}]
    s3, cloudformation = target.client("s3"), target.client("cloudformation")
    s3.create_bucket(Bucket="left-over-bucket")
    s3.put_bucket_tagging(Bucket="left-over-bucket", Tagging={"TagSet": tag})
    s3.put_object(Bucket="left-over-bucket", Key="forgotten", Body=b"x" * 1000)
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    standing = [{"Key": "sandcastle:environment", "Value": "standing"}]
    cloudformation.create_stack(StackName="standing-foundation", TemplateBody=template, Tags=standing)
    try:
        found = audit_everywhere(target, {"never-was"})
        assert {"left-over", "standing"} <= set(found.inventories)
        assert "never-was" not in found.inventories
        assert "left-over" in [one.environment for one in found.leftovers]
        assert "standing" not in [one.environment for one in found.leftovers]
        [standing_one] = [one for one in found.document()["environments"] if one["environment"] == "standing"]
        assert standing_one["deployed"] is True
    finally:
        s3.delete_object(Bucket="left-over-bucket", Key="forgotten")
        s3.delete_bucket(Bucket="left-over-bucket")
        cloudformation.delete_stack(StackName="standing-foundation")
    assert "left-over" not in audit_everywhere(target, set()).inventories
