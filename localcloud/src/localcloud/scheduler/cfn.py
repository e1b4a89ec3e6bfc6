"""AWS::Scheduler::Schedule and AWS::Scheduler::ScheduleGroup (registry schemas of 2026-10-20).

A schedule has no ActionAfterCompletion and no tags there. Ref of both is the name, Arn an attribute.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from localcloud import adapter
from localcloud.scheduler.records import SchedulerError, Scope
from localcloud.scheduler.service import Scheduler

_SCHEDULE = [
    "Name",
    "GroupName",
    "Description",
    "StartDate",
    "EndDate",
    "FlexibleTimeWindow",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "State",
    "Target",
    "KmsKeyArn",
]
#: real seconds between two looks at a group that is being deleted
_POLL = 0.05


def install(service: Scheduler) -> None:
    """Register both types."""
    schedules, groups = _Schedules(service), _Groups(service)
    adapter.register_cfn_type(
        "AWS::Scheduler::Schedule",
        create=schedules.create,
        update=schedules.update,
        delete=schedules.delete,
        replacing=("Name",),
    )
    adapter.register_cfn_type(
        "AWS::Scheduler::ScheduleGroup",
        create=groups.create,
        update=groups.update,
        delete=groups.delete,
        replacing=("Name",),
        tag_property="Tags",
    )


class _Schedules:
    def __init__(self, service: Scheduler) -> None:
        self._service = service

    def create(self, logical_id: str, props: dict[str, Any], stack_name: str) -> adapter.Provisioned:
        name = props.get("Name") or adapter.physical_name(stack_name, logical_id, 64)
        return name, self._put("create", name, props)

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> adapter.Provisioned:
        del stack_name
        if _group(old) != _group(new):  # the API cannot move a schedule: CloudFormation's handler makes a new one
            attributes = self._put("create", physical_id, new)
            self.delete(physical_id, old)
            return physical_id, attributes
        return physical_id, self._put("update", physical_id, new)

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        try:
            self._service.delete(_scope(), physical_id, _group(props))
        except SchedulerError as error:
            _raise_unless_missing(error)

    def _put(self, how: str, name: str, props: dict[str, Any]) -> dict[str, Any]:
        _refuse_unknown("AWS::Scheduler::Schedule", props, _SCHEDULE)
        request = {key: value for key, value in props.items() if key != "Name"}
        for key in ("StartDate", "EndDate"):
            if key in request:
                request[key] = datetime.fromisoformat(str(request[key])).timestamp()
        act = self._service.create if how == "create" else self._service.update
        try:
            return {"Arn": act(_scope(), name, request)["ScheduleArn"]}
        except SchedulerError as error:
            raise _failure(error) from error


class _Groups:
    def __init__(self, service: Scheduler) -> None:
        self._service = service

    def create(self, logical_id: str, props: dict[str, Any], stack_name: str) -> adapter.Provisioned:
        _refuse_unknown("AWS::Scheduler::ScheduleGroup", props, ["Name", "Tags"])
        name = props.get("Name") or adapter.physical_name(stack_name, logical_id, 64)
        try:
            self._service.create_group(_scope(), name, props.get("Tags") or [])
        except SchedulerError as error:
            raise _failure(error) from error
        return name, self._attributes(name)

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> adapter.Provisioned:
        del stack_name
        scope = _scope()
        tags = self._service.tags(scope, scope.arn("schedule-group", physical_id))
        for tag in old.get("Tags") or []:
            tags.pop(tag["Key"], None)
        tags.update({tag["Key"]: tag["Value"] for tag in new.get("Tags") or []})
        return physical_id, self._attributes(physical_id)

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Wait until the group is gone, as the handler does (it may read the group)."""
        del props
        scope = _scope()
        try:
            if self._service.get_group(scope, physical_id)["State"] != "DELETING":
                self._service.delete_group(scope, physical_id)
            while True:
                self._service.get_group(scope, physical_id)
                time.sleep(_POLL)
        except SchedulerError as error:
            _raise_unless_missing(error)

    def _attributes(self, name: str) -> dict[str, Any]:
        group = self._service.get_group(_scope(), name)
        return {key: group[key] for key in ("Arn", "State", "CreationDate", "LastModificationDate")}


def _scope() -> Scope:
    return Scope(adapter.account_id(), adapter.region())


def _group(props: dict[str, Any]) -> str:
    return str(props.get("GroupName") or "default")


def _refuse_unknown(type_name: str, props: dict[str, Any], known: list[str]) -> None:
    unknown = sorted(set(props) - set(known))
    if unknown:
        raise adapter.CfnError(f"extraneous key [{unknown[0]}] is not permitted in {type_name}")


def _failure(error: SchedulerError) -> adapter.CfnError:
    return adapter.CfnError(
        f"{error.message} (Service: Scheduler, Status Code: {error.status}, Error Code: {error.code})"
    )


def _raise_unless_missing(error: SchedulerError) -> None:
    if error.code != "ResourceNotFoundException":
        raise _failure(error) from error
