"""What a schedule calls: templated targets by their ARN, and any operation of the services below.

Facts: scheduler/latest/UserGuide/managing-targets-templated.html and managing-targets-universal.html (which actions
are refused), managing-schedule-context-attributes.html, cross-service-confused-deputy-prevention.html (aws:SourceArn
is the group's ARN). Every call is signed with the schedule's role and authorised as it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters

from localcloud import adapter
from localcloud.scheduler.records import Schedule, invalid
from localcloud.scheduler.runner import Run
from localcloud.self_calls import CallFailed, call, client, method_of

_SERVICE = "scheduler.amazonaws.com"
_UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
#: the name of a service in a universal target -> boto3's; others are refused by name
_SERVICES = {
    "sagemaker": "sagemaker",
    "cloudformation": "cloudformation",
    "lambda": "lambda",
    "sns": "sns",
    "sqs": "sqs",
    "sfn": "stepfunctions",
    "ec2": "ec2",
    "iam": "iam",
    "budgets": "budgets",
    "scheduler": "scheduler",
}
_REFUSED_PREFIXES = [
    "get",
    "describe",
    "list",
    "poll",
    "receive",
    "search",
    "scan",
    "query",
    "select",
    "read",
    "lookup",
    "discover",
    "validate",
    "batchGet",
    "batchDescribe",
    "batchRead",
    "transactGet",
    "adminGet",
    "adminList",
    "testMigration",
    "retrieve",
    "testConnection",
    "translateDocument",
    "isAuthorized",
    "invokeModel",
]
_TEMPLATED = ("lambda", "sns", "sqs", "states")


def check(target: Mapping[str, Any], region: str) -> None:
    """Raise ValidationException for a target that cannot be called, or that is not supported here."""
    for name in ("EcsParameters", "EventBridgeParameters", "KinesisParameters", "SageMakerPipelineParameters"):
        if name in target:
            raise invalid(f"[localcloud] Target.{name} is not supported yet")
    arn = str(target["Arn"])
    if arn.startswith(_UNIVERSAL):
        _check_universal(arn, target.get("Input"), region)
        return
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise invalid(f"Provided Arn is not in correct format: {arn}")
    if parts[2] not in _TEMPLATED:
        raise invalid(f"[localcloud] a target of {parts[2]} is not supported yet")


def _check_universal(arn: str, text: str | None, region: str) -> None:
    service, _, action = arn.removeprefix(_UNIVERSAL).partition(":")
    if action.startswith(tuple(_REFUSED_PREFIXES)):
        raise invalid(f"The API {action} of {service} is read-only and is not a target of a schedule.")
    if service not in _SERVICES:
        raise invalid(f"[localcloud] universal targets of {service} are not supported yet")
    made = client(_SERVICES[service], region)
    method = method_of(made, action)
    if method is None or not action[:1].islower():
        raise invalid(f"The API {action} does not exist for {service}.")
    shape = made.meta.service_model.operation_model(made.meta.method_to_api_mapping[method]).input_shape
    try:
        validate_parameters(_object(text), shape)
    except ParamValidationError as error:
        raise invalid(f"Invalid RequestJson provided. Reason: {error}") from error


def _object(text: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text or "{}")
    except ValueError as error:
        raise invalid(f"Invalid RequestJson provided. Reason: {error}") from error
    if not isinstance(document, dict):
        raise invalid("Invalid RequestJson provided. Reason: it is not an object")
    return document


def deliver(run: Run) -> None:
    """Make the call of one run. Raises CallFailed."""
    schedule = run.schedule
    target = schedule.settings["Target"]
    arn, text = str(target["Arn"]), _with_context(target.get("Input"), run)
    if arn.startswith(_UNIVERSAL):
        service, _, action = arn.removeprefix(_UNIVERSAL).partition(":")
        _call(schedule, _SERVICES[service], action, json.loads(text or "{}"))
        return
    service = arn.split(":")[2]
    if service == "lambda":
        payload = text or json.dumps(_event(run))
        _call(schedule, "lambda", "Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": payload})
    elif service == "sns":
        _call(schedule, "sns", "Publish", {"TopicArn": arn, "Message": text or json.dumps(_event(run))})
    elif service == "sqs":
        _send(schedule, arn, text or json.dumps(_event(run)), target.get("SqsParameters") or {})
    else:
        _call(schedule, "stepfunctions", "StartExecution", {"stateMachineArn": arn, "input": text or "{}"})


def bury(run: Run, error: CallFailed) -> None:
    """Send a run that was given up to the dead-letter queue, if the target has one."""
    target = run.schedule.settings["Target"]
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    attributes = {
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message or "none",
        "RETRY_ATTEMPTS": str(run.attempt - 1),
        "SCHEDULED_TIME": _iso(run.scheduled),
        "SCHEDULE_ARN": run.schedule.arn,
        "TARGET_ARN": str(target["Arn"]),
    }
    shaped = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    _send(run.schedule, queue, target.get("Input") or "{}", {"MessageAttributes": shaped})


def _send(schedule: Schedule, queue_arn: str, body: str, more: Mapping[str, Any]) -> None:
    account, name = queue_arn.split(":")[4:]
    url = f"{adapter.endpoint_url()}/{account}/{name}"
    _call(schedule, "sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body, **more})


def _call(schedule: Schedule, service: str, action: str, parameters: Mapping[str, Any]) -> None:
    scope = schedule.scope
    with adapter.request_scope(scope.account, scope.region):
        try:
            credentials = adapter.role_credentials(
                schedule.settings["Target"]["RoleArn"], schedule.name, _SERVICE, schedule.group_arn
            )
        except adapter.AssumeRoleDenied as error:
            raise CallFailed("AccessDeniedException", str(error)) from error
    call(service, action, parameters, scope.region, credentials)


def _with_context(text: str | None, run: Run) -> str | None:
    """The input with the attributes of this run put in."""
    if not text:
        return None
    values = {
        "<aws.scheduler.schedule-arn>": run.schedule.arn,
        "<aws.scheduler.scheduled-time>": _iso(run.scheduled),
        "<aws.scheduler.execution-id>": str(uuid.uuid4()),
        "<aws.scheduler.attempt-number>": str(run.attempt),
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _event(run: Run) -> dict[str, Any]:
    """What a target without an input is sent."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": run.schedule.scope.account,
        "time": _iso(run.scheduled),
        "region": run.schedule.scope.region,
        "resources": [run.schedule.arn],
        "detail": "{}",
    }


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
