"""The wire: REST-JSON requests to operations, and what IAM asks about a request."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters

from localcloud import adapter
from localcloud.botocore_models import service_model
from localcloud.scheduler.records import SchedulerError, Scope, invalid
from localcloud.scheduler.service import Scheduler

logger = logging.getLogger("localcloud.scheduler")

_SCHEDULE = re.compile(r"/schedules/([0-9a-zA-Z._-]{1,64})")
_GROUP = re.compile(r"/schedule-groups/([0-9a-zA-Z._-]{1,64})")


class Handler:
    """MiniStack's view of the service."""

    def __init__(self, service: Scheduler) -> None:
        """Serve ``service``."""
        self._service = service
        self._model = service_model("scheduler")

    def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: adapter.Query
    ) -> adapter.Response:
        """One request."""
        try:
            request = _document(body)
            reply = self._route(
                method,
                unquote(path),
                request,
                {name: values[0] for name, values in query.items()},
                headers,
                list(query.get("TagKeys", [])),
            )
        except SchedulerError as error:
            kind = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
            return error.status, kind, json.dumps({"Message": error.message}).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps(reply).encode()

    def _route(
        self,
        method: str,
        path: str,
        request: dict[str, Any],
        query: dict[str, str],
        headers: dict[str, str],
        tag_keys: list[str],
    ) -> dict[str, Any]:
        scope, service = Scope(adapter.account_id(), adapter.region()), self._service
        size, token = int(query.get("MaxResults") or 0), query.get("NextToken")
        if path == "/schedules" and method == "GET":
            return service.list_schedules(
                scope, query.get("ScheduleGroup"), query.get("NamePrefix", ""), query.get("State"), size, token
            )
        if path == "/schedule-groups" and method == "GET":
            return service.list_groups(scope, query.get("NamePrefix", ""), size, token)
        if found := _SCHEDULE.fullmatch(path):
            return self._schedule(method, scope, found.group(1), request, query.get("groupName") or "default", headers)
        if found := _GROUP.fullmatch(path):
            if method == "POST":
                return service.create_group(scope, found.group(1), request.get("Tags") or [])
            if method in ("GET", "DELETE"):
                act = service.get_group if method == "GET" else service.delete_group
                return act(scope, found.group(1))
        if path.startswith("/tags/"):
            return _tag(method, service.tags(scope, path.removeprefix("/tags/")), request, tag_keys)
        raise invalid(f"[localcloud] {method} {path} is not an operation of EventBridge Scheduler")

    def _schedule(
        self, method: str, scope: Scope, name: str, request: dict[str, Any], group: str, headers: dict[str, str]
    ) -> dict[str, Any]:
        if method == "GET":
            return self._service.get(scope, name, group)
        if method == "DELETE":
            return self._service.delete(scope, name, group)
        operation = "CreateSchedule" if method == "POST" else "UpdateSchedule"
        self.check(operation, {"Name": name, **request})
        role = request["Target"]["RoleArn"]
        denied = adapter.authorize(headers, "iam:PassRole", role, {"iam:PassedToService": "scheduler.amazonaws.com"})
        if denied:
            raise SchedulerError("AccessDeniedException", denied.message, 403)
        act = self._service.create if method == "POST" else self._service.update
        return act(scope, name, request)

    def check(self, operation: str, request: dict[str, Any]) -> None:
        """Raise ValidationException for what the model does not allow."""
        shape = self._model.operation_model(operation).input_shape
        try:
            if shape is not None:
                validate_parameters(request, shape)
        except ParamValidationError as error:
            raise invalid(str(error)) from error


def resource_arn(
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    query: adapter.Query,
    region: str,
    account: str,
) -> str:
    """What a request is authorised on: the schedule with its group, the group, or what is tagged."""
    del headers
    scope, path = Scope(account, region), unquote(path)
    if found := _SCHEDULE.fullmatch(path):
        try:
            given = _document(body).get("GroupName") if method in ("POST", "PUT") else query.get("groupName", [""])[0]
        except SchedulerError:
            given = None
        return scope.arn("schedule", f"{given or 'default'}/{found.group(1)}")
    if found := _GROUP.fullmatch(path):
        return scope.arn("schedule-group", found.group(1))
    return path.removeprefix("/tags/") if path.startswith("/tags/") else "*"


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        raise SchedulerError("SerializationException", "The request body is not JSON", 400) from error
    if not isinstance(document, dict):
        raise SchedulerError("SerializationException", "The request body is not a JSON object", 400)
    return document


def _tag(method: str, tags: dict[str, str], request: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    if method == "POST":
        tags.update({tag["Key"]: tag["Value"] for tag in request.get("Tags") or []})
    elif method == "DELETE":
        for key in keys:
            tags.pop(key, None)
    else:
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    return {}
