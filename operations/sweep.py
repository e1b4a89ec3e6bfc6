"""Removes what an inventory found after all stacks were gone: the last resort of ``sandcastle destroy``.

Only findings of the inventory are touched, and an inventory holds only what carries the environment's tag or
one of its run-time names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from operations.audit import Inventory
from operations.audit.finding import Finding
from operations.console import Console
from operations.target import Target


def sweep(target: Target, inventory: Inventory, console: Console) -> list[str]:
    """Remove the findings, in an order in which nothing holds another back; return the names that went.

    What refuses is reported and stays: the audit that follows counts it.
    """
    swept = []
    for kind, remove in REMOVERS.items():
        for finding in inventory.findings:
            if finding.kind != kind:
                continue
            try:
                remove(target, finding)
            except ClientError as error:
                console.warn(f"{kind} {finding.name} could not be removed: {error}\n  by hand: {finding.remove}")
            else:
                console.step(f"removed {kind} {finding.name}, which no stack knew")
                swept.append(finding.name)
    return swept


def _job(use: str) -> Callable[[Target, Finding], None]:
    """Stop a job and wait until it has ended: until then it writes and is billed."""

    def remove(target: Target, finding: Finding) -> None:
        client = target.client("sagemaker")
        name = f"{use.capitalize()}JobName"
        try:
            getattr(client, f"stop_{use}_job")(**{name: finding.name})
        except ClientError as error:
            if "status" not in str(error):  # it ended, or is stopping, in the meantime
                raise
        _waiter(client, f"{use}_job_completed_or_stopped", target).wait(**{name: finding.name})

    return remove


def _endpoint(target: Target, finding: Finding) -> None:
    client = target.client("sagemaker")
    client.delete_endpoint(EndpointName=finding.name)
    _waiter(client, "endpoint_deleted", target).wait(EndpointName=finding.name)


def _waiter(client: Any, name: str, target: Target) -> Any:
    """Return botocore's waiter, which on localcloud need not pause half a minute between questions."""
    waiter = client.get_waiter(name)
    if target.name == "local":
        waiter.config.delay = 0.3
    return waiter


def _bucket(target: Target, finding: Finding) -> None:
    client = target.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=finding.name):
        keys = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        refused = client.delete_objects(Bucket=finding.name, Delete={"Objects": keys}).get("Errors") if keys else None
        if refused:
            raise ClientError({"Error": refused[0]}, "DeleteObjects")
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=finding.name):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(Bucket=finding.name, Key=upload["Key"], UploadId=upload["UploadId"])
    client.delete_bucket(Bucket=finding.name)


def _log_stream(target: Target, finding: Finding) -> None:
    group, stream = finding.name.split(" ", 1)
    target.client("logs").delete_log_stream(logGroupName=group, logStreamName=stream)


def _call(service: str, operation: str, parameter: str) -> Callable[[Target, Finding], None]:
    def remove(target: Target, finding: Finding) -> None:
        getattr(target.client(service), operation)(**{parameter: finding.name})

    return remove


def _alarm(target: Target, finding: Finding) -> None:
    target.client("cloudwatch").delete_alarms(AlarmNames=[finding.name])


def _budget(target: Target, finding: Finding) -> None:
    target.client("budgets").delete_budget(AccountId=target.account, BudgetName=finding.name)


def _role(target: Target, finding: Finding) -> None:
    """Delete a role with everything that is attached to it: IAM refuses otherwise."""
    client = target.client("iam")
    for page in client.get_paginator("list_attached_role_policies").paginate(RoleName=finding.name):
        for policy in page["AttachedPolicies"]:
            client.detach_role_policy(RoleName=finding.name, PolicyArn=policy["PolicyArn"])
    for page in client.get_paginator("list_role_policies").paginate(RoleName=finding.name):
        for name in page["PolicyNames"]:
            client.delete_role_policy(RoleName=finding.name, PolicyName=name)
    client.delete_role(RoleName=finding.name)


def _vpc_endpoint(target: Target, finding: Finding) -> None:
    target.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[finding.name])


REMOVERS: dict[str, Callable[[Target, Finding], None]] = {
    "training job": _job("training"),
    "processing job": _job("processing"),
    "endpoint": _endpoint,
    "endpoint config": _call("sagemaker", "delete_endpoint_config", "EndpointConfigName"),
    "model": _call("sagemaker", "delete_model", "ModelName"),
    "state machine": _call("stepfunctions", "delete_state_machine", "stateMachineArn"),
    "function": _call("lambda", "delete_function", "FunctionName"),
    "alarm": _alarm,
    "budget": _budget,
    "topic": _call("sns", "delete_topic", "TopicArn"),
    "bucket": _bucket,
    "log stream": _log_stream,
    "log group": _call("logs", "delete_log_group", "logGroupName"),
    "role": _role,
    "vpc endpoint": _vpc_endpoint,
    "subnet": _call("ec2", "delete_subnet", "SubnetId"),
    "route table": _call("ec2", "delete_route_table", "RouteTableId"),
    "security group": _call("ec2", "delete_security_group", "GroupId"),
    "vpc": _call("ec2", "delete_vpc", "VpcId"),
}
"""How each kind is removed, in order: writers first, what they write to last."""
