"""Small CloudFormation helpers for the tests of this folder."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

Resources = dict[str, dict[str, Any]]

#: a provider function in one file: ANSWERS decides what happens per request type
PROVIDER = """
import json, os, urllib.request
import boto3

def answer(event, status, physical_id, reason=""):
    body = json.dumps({"Status": status, "Reason": reason, "PhysicalResourceId": physical_id,
                       "StackId": event["StackId"], "RequestId": event["RequestId"],
                       "LogicalResourceId": event["LogicalResourceId"], "Data": {}}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT"))

def handler(event, context):
    kind = event["RequestType"]
    how = json.loads(os.environ["ANSWERS"]).get(kind, "SUCCESS")
    physical_id = event.get("PhysicalResourceId") or os.environ["NAME"] + "-thing"
    boto3.client("ssm").put_parameter(Name="/" + os.environ["NAME"] + "/" + kind, Value=physical_id,
                                      Type="String", Overwrite=True)
    if how == "CRASH":
        raise KeyError("no answer from me")
    if how != "SILENT":
        answer(event, how, physical_id, "on purpose")
"""


def unique(prefix: str) -> str:
    """A name nothing else in the session has."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def eventually(check: Callable[[], Any], seconds: float = 15) -> Any:
    """The first true answer of ``check``; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {check}"
        time.sleep(0.02)
    return answer


def role(*statements: Mapping[str, Any], service: str = "lambda.amazonaws.com") -> dict[str, Any]:
    """An AWS::IAM::Role with one inline policy."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policy = {"PolicyName": "test", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            **({"Policies": [policy]} if statements else {}),
        },
    }


def function(code: str, environment: Mapping[str, str] | None = None, **properties: Any) -> dict[str, Any]:
    """An AWS::Lambda::Function with inline code, running as the template's ``Role``."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Timeout": 20,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": code},
            "Environment": {"Variables": dict(environment or {})},
            **properties,
        },
    }


def provider(name: str, **answers: str) -> Resources:
    """A custom resource ``Thing`` with its function and role; ``Create="FAILED"``, ``Delete="SILENT"``..."""
    allowed = {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}
    return {
        "Role": role(allowed),
        "Function": function(PROVIDER, {"ANSWERS": json.dumps(answers), "NAME": name}),
        "Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
    }


class Stack:
    """One stack, driven through the API and waited for."""

    def __init__(self, server: Localcloud, name: str) -> None:
        self.name = name
        self.cfn = server.client("cloudformation")

    def create(self, resources: Resources, outputs: Mapping[str, Any] | None = None, wait: bool = True) -> str:
        """Create it; the status it ends in."""
        self.cfn.create_stack(
            StackName=self.name, TemplateBody=_template(resources, outputs), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        return self.settled() if wait else self.status()

    def update(self, resources: Resources, outputs: Mapping[str, Any] | None = None, wait: bool = True) -> str:
        """Update it; the status it ends in."""
        self.cfn.update_stack(
            StackName=self.name, TemplateBody=_template(resources, outputs), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        return self.settled() if wait else self.status()

    def delete(self) -> str:
        """Delete it; the status it ends in."""
        identifier = self.describe()["StackId"]
        self.cfn.delete_stack(StackName=self.name)
        return str(eventually(lambda: self._ended(identifier)))

    def settled(self, seconds: float = 20) -> str:
        """The status once no operation runs."""
        return str(eventually(lambda: self._ended(self.name), seconds))

    def status(self) -> str:
        """The status now."""
        return str(self.describe()["StackStatus"])

    def describe(self) -> dict[str, Any]:
        """DescribeStacks."""
        found: dict[str, Any] = self.cfn.describe_stacks(StackName=self.name)["Stacks"][0]
        return found

    def physical(self, logical_id: str) -> str:
        """The physical id of a resource."""
        detail = self.cfn.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def statuses(self) -> dict[str, str]:
        """Logical id -> status of what the stack holds."""
        found = self.cfn.describe_stack_resources(StackName=self.name)["StackResources"]
        return {item["LogicalResourceId"]: item["ResourceStatus"] for item in found}

    def reasons(self) -> str:
        """Every ResourceStatusReason, one a line."""
        events = self.cfn.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def _ended(self, identifier: str) -> str | None:
        status = str(self.cfn.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"])
        return None if status.endswith("IN_PROGRESS") else status


def _template(resources: Resources, outputs: Mapping[str, Any] | None) -> str:
    return json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})})
