"""Notebook instances through boto3 and real stacks, on a server whose time moves only when told."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import Localcloud, started
from tests.localcloud.core.stacks import Resources, Stack, eventually, role, unique

pytestmark = pytest.mark.localcloud

HOOKS = base64.b64encode(b"#!/bin/bash\necho hello\n").decode()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    """A server with a clock that stands still."""
    with started(tmp_path_factory.mktemp("standing"), {"LOCALCLOUD_CLOCK": "manual"}) as server:
        yield server


@pytest.fixture
def switch(standing: Localcloud) -> Iterator[Callable[[str, str], None]]:
    """(name, position): set a switch for the time of the test."""
    before = standing.admin("GET", "switches")
    yield lambda name, position: standing.admin("POST", "switches", {name: position})
    standing.admin("POST", "switches", before)


def notebook(**properties: Any) -> Resources:
    """A VPC with a subnet and a group, a role, a lifecycle configuration and an instance that uses them all."""
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.5.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.5.1.0/24"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "of a notebook"},
        },
        "Role": role(service="sagemaker.amazonaws.com"),
        "Hooks": {
            "Type": "AWS::SageMaker::NotebookInstanceLifecycleConfig",
            "Properties": {"OnStart": [{"Content": HOOKS}]},
        },
        "Notebook": {
            "Type": "AWS::SageMaker::NotebookInstance",
            "Properties": {
                "InstanceType": "ml.t3.medium",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "SubnetId": {"Ref": "Subnet"},
                "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
                "LifecycleConfigName": {"Fn::GetAtt": ["Hooks", "NotebookInstanceLifecycleConfigName"]},
                **properties,
            },
        },
    }


OUTPUTS = {
    "Name": {"Value": {"Fn::GetAtt": ["Notebook", "NotebookInstanceName"]}},
    "Ref": {"Value": {"Ref": "Notebook"}},
}


class Bench:
    """One stack with a notebook instance; time moves while an operation of the stack runs."""

    def __init__(self, server: Localcloud) -> None:
        self.server = server
        self.stack = Stack(server, unique("notebook"))
        self.sm, self.ec2 = server.client("sagemaker"), server.client("ec2")

    def create(self, **properties: Any) -> str:
        self.stack.create(notebook(**properties), OUTPUTS, wait=False)
        return self.ended()

    def update(self, **properties: Any) -> str:
        self.stack.update(notebook(**properties), OUTPUTS, wait=False)
        return self.ended()

    def delete(self) -> str:
        identifier = self.stack.describe()["StackId"]
        self.stack.cfn.delete_stack(StackName=self.stack.name)
        return self.ended(identifier)

    def ended(self, identifier: str = "") -> str:
        """The stack's status once no operation runs."""

        def status() -> str | None:
            self.server.admin("POST", "clock", {"advance_seconds": 60})
            found = self.stack.cfn.describe_stacks(StackName=identifier or self.stack.name)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else str(found["StackStatus"])

        return str(eventually(status, 30))

    @property
    def name(self) -> str:
        return str(self.outputs()["Name"])

    def outputs(self) -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self.stack.describe()["Outputs"]}

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = self.sm.describe_notebook_instance(NotebookInstanceName=self.name)
        return found

    def act(self, operation: str, seconds: float = 0) -> None:
        getattr(self.sm, f"{operation}_notebook_instance")(NotebookInstanceName=self.name)
        self.server.admin("POST", "clock", {"advance_seconds": seconds})


@pytest.fixture
def bench(standing: Localcloud) -> Bench:
    made = Bench(standing)
    assert made.create() == "CREATE_COMPLETE", made.stack.reasons()
    return made


def test_the_interface_holds_subnet_and_group(bench: Bench) -> None:
    found = bench.describe()
    assert found["NotebookInstanceStatus"] == "InService"
    assert found["NotebookInstanceArn"] == bench.outputs()["Ref"] == bench.stack.physical("Notebook")
    subnet, group = bench.stack.physical("Subnet"), bench.stack.physical("Group")
    listed = bench.ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])
    [interface] = listed["NetworkInterfaces"]
    assert interface["NetworkInterfaceId"] == found["NetworkInterfaceId"]
    assert (interface["Status"], interface["Groups"][0]["GroupId"]) == ("in-use", group)
    refused = {
        "DependencyViolation": [
            lambda: bench.ec2.delete_subnet(SubnetId=subnet),
            lambda: bench.ec2.delete_security_group(GroupId=group),
        ],
        "InvalidParameterValue": [
            lambda: bench.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
        ],
        "AuthFailure": [
            lambda: bench.ec2.detach_network_interface(AttachmentId=interface["Attachment"]["AttachmentId"])
        ],
    }
    for code, calls in refused.items():
        for call in calls:
            with pytest.raises(ClientError) as error:
                call()
            assert error.value.response["Error"]["Code"] == code
    assert bench.delete() == "DELETE_COMPLETE", bench.stack.reasons()
    running = [line for line in bench.server.admin("GET", "meter")["readings"] if line["running"]]
    assert not [line for line in running if line["arn"].startswith(found["NotebookInstanceArn"])]


def test_an_update_stops_changes_and_starts_it(bench: Bench) -> None:
    assert bench.update(InstanceType="ml.m5.xlarge", Tags=[{"Key": "a", "Value": "b"}]) == "UPDATE_COMPLETE"
    found = bench.describe()
    assert (found["NotebookInstanceStatus"], found["InstanceType"]) == ("InService", "ml.m5.xlarge")
    tags = bench.sm.list_tags(ResourceArn=found["NotebookInstanceArn"])["Tags"]
    assert {"Key": "a", "Value": "b"} in tags
    assert bench.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize(("position", "status"), [("start", "InService"), ("stay", "Stopped")])
def test_an_update_of_a_stopped_instance(
    bench: Bench, switch: Callable[[str, str], None], position: str, status: str
) -> None:
    switch("notebook-after-update", position)
    bench.act("stop", 600)
    assert bench.update(VolumeSizeInGB=10) == "UPDATE_COMPLETE", bench.stack.reasons()
    assert (bench.describe()["NotebookInstanceStatus"], bench.describe()["VolumeSizeInGB"]) == (status, 10)
    assert bench.delete() == "DELETE_COMPLETE"


def test_another_platform_is_another_instance(bench: Bench) -> None:
    before = bench.stack.physical("Notebook")
    assert bench.update(PlatformIdentifier="notebook-al2-v3") == "UPDATE_COMPLETE", bench.stack.reasons()
    assert bench.stack.physical("Notebook") != before
    assert len(bench.sm.list_notebook_instances()["NotebookInstances"]) == 1
    assert bench.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize(("position", "ending"), [("fail", "DELETE_FAILED"), ("wait", "DELETE_COMPLETE")])
def test_a_delete_while_it_starts(
    standing: Localcloud, bench: Bench, switch: Callable[[str, str], None], position: str, ending: str
) -> None:
    switch("notebook-busy-delete", position)
    bench.act("stop", 600)
    bench.act("start")
    identifier = bench.stack.describe()["StackId"]
    bench.stack.cfn.delete_stack(StackName=bench.stack.name)
    if position == "fail":
        eventually(lambda: bench.stack.status() == "DELETE_FAILED")
        assert (
            "Status (Pending) not in ([Stopped, Failed]). Unable to transition to (Deleting)" in bench.stack.reasons()
        )
    assert bench.ended(identifier) == ending
    if position == "fail":
        standing.admin("POST", "clock", {"advance_seconds": 600})
        eventually(lambda: bench.describe()["NotebookInstanceStatus"] == "InService")
        assert bench.delete() == "DELETE_COMPLETE", "the retry finds it InService"


def test_a_stack_survives_that_its_instance_is_gone(bench: Bench) -> None:
    bench.act("stop", 600)
    bench.act("delete", 600)
    assert bench.delete() == "DELETE_COMPLETE"


def test_a_lifecycle_configuration_changes_in_place(bench: Bench) -> None:
    name = bench.describe()["NotebookInstanceLifecycleConfigName"]
    changed = notebook()
    changed["Hooks"]["Properties"] = {"OnCreate": [{"Content": HOOKS}]}
    bench.stack.update(changed, OUTPUTS, wait=False)
    assert bench.ended() == "UPDATE_COMPLETE", bench.stack.reasons()
    found = bench.sm.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    assert (found["OnCreate"], found["OnStart"]) == ([{"Content": HOOKS}], [])
    assert bench.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        bench.sm.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)


def test_what_the_api_refuses_the_stack_shows(standing: Localcloud) -> None:
    made = Bench(standing)
    assert made.create(VolumeSizeInGB=1) == "ROLLBACK_COMPLETE"
    assert "Member must have value greater than or equal to 5" in made.stack.reasons()


LOOP = """#!/bin/bash
set -e
mkdir -p /home/ec2-user/SageMaker
date > /home/ec2-user/SageMaker/started
nohup python3 - > /dev/null 2>&1 <<'EOF' &
import json, time
import boto3
name = json.load(open("/opt/ml/metadata/resource-metadata.json"))["ResourceName"]
ssm = boto3.client("ssm")
while True:
    ssm.put_parameter(Name="/beats/" + name, Value=str(time.monotonic()), Type="String", Overwrite=True)
    time.sleep(0.05)
EOF
echo "beating"
"""


def test_scripts_run_as_the_role_and_their_loops_end_with_a_stop(standing: Localcloud) -> None:
    made, ssm, logs = Bench(standing), standing.client("ssm"), standing.client("logs")
    resources = notebook()
    may = [
        {"Effect": "Allow", "Action": ["ssm:PutParameter"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["logs:PutLogEvents", "logs:DescribeLogStreams"], "Resource": "*"},
    ]
    resources["Role"] = role(*may, service="sagemaker.amazonaws.com")
    resources["Hooks"]["Properties"] = {"OnStart": [{"Content": base64.b64encode(LOOP.encode()).decode()}]}
    made.stack.create(resources, OUTPUTS, wait=False)
    assert made.ended() == "CREATE_COMPLETE", made.stack.reasons()

    def beat() -> str:
        found = ssm.get_parameters(Names=[f"/beats/{made.name}"])["Parameters"]
        return str(found[0]["Value"]) if found else ""

    first = eventually(beat)
    eventually(lambda: beat() != first)
    stream = f"{made.name}/LifecycleConfigOnStart"
    lines = eventually(
        lambda: logs.get_log_events(logGroupName="/aws/sagemaker/NotebookInstances", logStreamName=stream)["events"]
    )
    assert [line["message"] for line in lines] == ["beating"]
    made.act("stop", 600)
    before = beat()
    time.sleep(0.5)
    last = beat()
    time.sleep(0.5)
    assert beat() == last, f"it beat on after the stop: {before}, {last}"
    assert made.delete() == "DELETE_COMPLETE"


def test_a_script_that_fails_is_the_reason_of_the_stack_event(standing: Localcloud) -> None:
    made, resources = Bench(standing), notebook()
    before = len(made.sm.list_notebook_instances()["NotebookInstances"])
    resources["Hooks"]["Properties"] = {"OnCreate": [{"Content": base64.b64encode(b"exit 1").decode()}]}
    made.stack.create(resources, OUTPUTS, wait=False)
    assert made.ended() == "ROLLBACK_COMPLETE"
    assert "took longer than 5 minutes. Please check your CloudWatch logs" in made.stack.reasons()
    assert len(made.sm.list_notebook_instances()["NotebookInstances"]) == before
