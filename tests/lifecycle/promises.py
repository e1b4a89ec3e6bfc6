"""The promises of a deployed environment, tried on the roles that were really made.

Every promise is asked of the account's IAM (SimulatePrincipalPolicy over the role's attached policies); every one
about S3 objects is also tried with a real call under the role's own temporary credentials. MiniStack's simulation
knows no condition keys, so a promise with conditions is decided on the policies that IAM gives for the deployed role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.review.access.decide import Answer, answer_of
from sandcastle.promises import Promise, promises_of
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.sessions import as_role

_ACCOUNT, _REGION = "000000000000", "us-east-1"


@dataclass(frozen=True)
class Tried:
    """A promise of one deployed role, and what became of it: ``decided`` by IAM, ``happened`` by a real call."""

    role: str
    promise: Promise
    resource: str
    decided: bool
    happened: bool | None

    def __str__(self) -> str:
        verb = "may" if self.promise.allowed else "may not"
        return f"{self.role} {verb} {self.promise.action} on {self.resource} {dict(self.promise.context)}"


def try_all(cloud: Cloud, environment: str) -> list[Tried]:
    """Try every promise of every stack of the environment."""
    cloudformation = cloud.client("cloudformation")
    exports = {
        item["Name"]: item["Value"]
        for page in cloudformation.get_paginator("list_exports").paginate()
        for item in page["Exports"]
    }
    tried = []
    for stack in cloud.stacks():
        if stack.startswith(f"sandcastle-{environment}-"):
            template = cloudformation.get_template(StackName=stack)["TemplateBody"]
            template = json.loads(template) if isinstance(template, str) else template
            tried += _try_stack(cloud, _Deployed(cloudformation, stack, template, exports), template)
    return tried


def _try_stack(cloud: Cloud, deployed: _Deployed, template: Any) -> Iterator[Tried]:
    roles: dict[str, Any] = {}
    for logical_id, promise in promises_of(template):
        role = deployed.physical[logical_id]
        resource = _concrete(deployed.resolve(promise.resource))
        context = {key: deployed.resolve(value) for key, value in promise.context.items()}
        if context:
            decided = _decide(_statements(cloud, role), promise, resource, context)
        else:
            decided = _simulate(cloud, role, promise, resource)
        happened = None
        if promise.action in ("s3:GetObject", "s3:PutObject") and resource.startswith("arn:aws:s3:::"):
            if role not in roles:
                roles[role] = as_role(cloud, role, "s3")
            happened = _object_call(cloud, roles[role], promise.action, resource)
        yield Tried(role, promise, resource, decided, happened)


def _statements(cloud: Cloud, role: str) -> list[dict[str, Any]]:
    """Return every statement of the deployed role, as IAM has it."""
    iam = cloud.client("iam")
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return [statement for document in documents for statement in document["Statement"]]


def _decide(statements: list[dict[str, Any]], promise: Promise, resource: str, context: dict[str, str]) -> bool:
    """Say whether the statements allow it: a promise that cannot be proved counts as broken."""
    answer = answer_of(statements, promise.action, resource, context)
    return answer is Answer.ALL if promise.allowed else answer is not Answer.NONE


def _concrete(pattern: str) -> str:
    """Return one resource that the pattern matches; ``*`` alone stands for a neighbour's object."""
    return "arn:aws:s3:::neighbours-bucket/object" if pattern == "*" else pattern.replace("*", "probe")


def _simulate(cloud: Cloud, role: str, promise: Promise, resource: str) -> bool:
    reply = cloud.client("iam").simulate_principal_policy(
        PolicySourceArn=cloud.client("iam").get_role(RoleName=role)["Role"]["Arn"],
        ActionNames=[promise.action],
        ResourceArns=[resource],
    )
    decision: str = reply["EvaluationResults"][0]["EvalDecision"]
    return decision == "allowed"


def _object_call(cloud: Cloud, s3: Any, action: str, resource: str) -> bool:
    """Read or write the object under the role; say whether it was allowed."""
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    root = cloud.client("s3")
    ours = bucket in [item["Name"] for item in root.list_buckets()["Buckets"]]
    if not ours:
        root.create_bucket(Bucket=bucket)
    root.put_object(Bucket=bucket, Key=key, Body=b"probe")
    try:
        if action == "s3:GetObject":
            s3.get_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=b"by the role")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error
        return False
    finally:
        root.delete_object(Bucket=bucket, Key=key)
        if not ours:
            root.delete_bucket(Bucket=bucket)
    return True


class _Deployed:
    """Resolves what a template says to what CloudFormation made of it."""

    def __init__(self, cloudformation: Any, stack: str, template: Any, exports: dict[str, str]) -> None:
        found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        self.physical = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found}
        self._types = {item["LogicalResourceId"]: item["ResourceType"] for item in found}
        self._properties = {name: one.get("Properties", {}) for name, one in template["Resources"].items()}
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        self._pseudo = {
            "AWS::AccountId": _ACCOUNT, "AWS::Region": _REGION, "AWS::Partition": "aws",
            "AWS::StackId": described["StackId"], "AWS::StackName": stack, "AWS::URLSuffix": "amazonaws.com",
        }  # fmt: skip
        self._exports = exports

    def resolve(self, node: Any) -> Any:
        """Return the value of a template expression. Raises KeyError for a function that is not known here."""
        if isinstance(node, list):
            return [self.resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        ((function, argument),) = node.items()
        return self._functions[function](argument)

    @property
    def _functions(self) -> dict[str, Callable[[Any], Any]]:
        """The functions that our templates' promises use; another one is a KeyError."""
        return {
            "Ref": lambda name: self._pseudo.get(name) or self.physical[name],
            "Fn::ImportValue": lambda name: self._exports[self.resolve(name)],
            "Fn::Join": lambda given: given[0].join(self.resolve(given[1])),
            "Fn::Split": lambda given: self.resolve(given[1]).split(given[0]),
            "Fn::Select": lambda given: self.resolve(given[1])[int(given[0])],
            "Fn::Sub": lambda text: re.sub(r"\$\{([^}]+)\}", lambda found: self._pseudo[found[1]], text),
            "Fn::GetAtt": lambda given: self._arn(given[0]),
        }

    def _arn(self, logical_id: str) -> str:
        name, path = self.physical[logical_id], self._properties[logical_id].get("Path", "/")
        return {
            "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
            "AWS::IAM::Role": f"arn:aws:iam::{_ACCOUNT}:role{path}{name}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:{name}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:{name}:*",
            "AWS::StepFunctions::StateMachine": name,
        }[self._types[logical_id]]
