"""The operations of EventBridge Scheduler.

Codes and members: botocore's model. Texts: "Invalid Schedule Expression ..." and the one about the execution role are
those of public reports (localstack/localstack#9284, aws/aws-sdk-js-v3#6494); that a time in the past is refused is
reported by DefangLabs/pulumi-defang#425 and a switch.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud import adapter
from localcloud.clock import Clock
from localcloud.scheduler import targets
from localcloud.scheduler.expressions import At, parse
from localcloud.scheduler.records import Group, Schedule, Scope, conflict, invalid, missing
from localcloud.scheduler.runner import Runner
from localcloud.switches import default_switches

#: members of a request that a schedule keeps
_MEMBERS = [
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "Description",
    "State",
    "KmsKeyArn",
    "Target",
    "FlexibleTimeWindow",
    "ActionAfterCompletion",
]
_PAGE = 100
#: virtual seconds in which a deleted group still exists, and its schedules still run
_GROUP_DELETION = 10.0

Key = tuple[Scope, str]


class Scheduler:
    """Groups and schedules of every account and region."""

    def __init__(self, clock: Clock, runner: Runner) -> None:
        """Empty; each region has a group ``default``."""
        self._clock = clock
        self._runner = runner
        self._lock = threading.RLock()
        self._groups: dict[Key, Group] = {}
        self._schedules: dict[tuple[Scope, str, str], Schedule] = {}
        runner.is_current = self._is_current
        runner.completed = self._completed

    def create(self, scope: Scope, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateSchedule."""
        now = self._clock.now()
        schedule = self._checked(scope, name, request, now, now)
        with self._lock:
            group = self._group(scope, schedule.group)
            if group.state != "ACTIVE":
                raise conflict(f"Schedule group {group.name} is being deleted.")
            if (scope, schedule.group, name) in self._schedules:
                raise conflict(f"Schedule {name} already exists.")
            self._keep(schedule)
        return {"ScheduleArn": schedule.arn}

    def update(self, scope: Scope, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateSchedule: members that are left out get their defaults, as on AWS."""
        old = self._schedule(scope, request.get("GroupName") or "default", name)
        schedule = self._checked(scope, name, request, old.created, max(self._clock.now(), old.created + 0.001))
        with self._lock:
            self._keep(schedule)
        return {"ScheduleArn": schedule.arn}

    def get(self, scope: Scope, name: str, group: str) -> dict[str, Any]:
        """GetSchedule."""
        return self._schedule(scope, group, name).reply()

    def delete(self, scope: Scope, name: str, group: str) -> dict[str, Any]:
        """DeleteSchedule."""
        with self._lock:
            self._forget(self._schedule(scope, group, name))
        return {}

    def list_schedules(
        self, scope: Scope, group: str | None, prefix: str, state: str | None, size: int, token: str | None
    ) -> dict[str, Any]:
        """ListSchedules."""
        with self._lock:
            if group:
                self._group(scope, group)
            found = [
                {**schedule.reply(), "Target": {"Arn": schedule.settings["Target"]["Arn"]}}
                for (owner, its_group, name), schedule in sorted(self._schedules.items(), key=lambda item: item[1].arn)
                if owner == scope and group in (None, its_group) and name.startswith(prefix)
            ]
        members = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate", "Target")
        shown = [{key: item[key] for key in members} for item in found if state in (None, item["State"])]
        return _page("Schedules", shown, size, token)

    def create_group(self, scope: Scope, name: str, tags: list[dict[str, str]]) -> dict[str, Any]:
        """CreateScheduleGroup."""
        with self._lock:
            if name == "default" or (scope, name) in self._groups:
                raise conflict(f"Schedule group {name} already exists.")
            now = self._clock.now()
            group = Group(name, scope.arn("schedule-group", name), now, now)
            group.tags.update({tag["Key"]: tag["Value"] for tag in tags})
            self._groups[(scope, name)] = group
        return {"ScheduleGroupArn": group.arn}

    def get_group(self, scope: Scope, name: str) -> dict[str, Any]:
        """GetScheduleGroup."""
        with self._lock:
            return self._group(scope, name).reply()

    def list_groups(self, scope: Scope, prefix: str, size: int, token: str | None) -> dict[str, Any]:
        """ListScheduleGroups."""
        with self._lock:
            self._group(scope, "default")
            found = [
                g.reply()
                for (owner, name), g in sorted(self._groups.items(), key=lambda i: i[1].arn)
                if owner == scope and name.startswith(prefix)
            ]
        return _page("ScheduleGroups", found, size, token)

    def delete_group(self, scope: Scope, name: str) -> dict[str, Any]:
        """DeleteScheduleGroup: the group and its schedules are gone a moment later and may still run until then."""
        with self._lock:
            group = self._group(scope, name)
            if name == "default":
                raise invalid("The default schedule group cannot be deleted.")
            if group.state == "DELETING":
                raise conflict(f"Schedule group {name} is being deleted.")
            group.state = "DELETING"
            self._clock.call_later(_GROUP_DELETION, lambda: self._remove_group(scope, group), kind="settle")
        return {}

    def tags(self, scope: Scope, arn: str) -> dict[str, str]:
        """The tags of a group, to read and to change. Schedules have none."""
        with self._lock:
            for (owner, _), group in self._groups.items():
                if owner == scope and group.arn == arn:
                    return group.tags
        raise missing(f"Resource {arn} does not exist.")

    def tagged(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """Groups of the request's account and region with their tags."""
        scope = Scope(adapter.account_id(), adapter.region())
        for (owner, _), group in list(self._groups.items()):
            if owner == scope:
                yield group.arn, [{"Key": key, "Value": value} for key, value in group.tags.items()]

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            for schedule in list(self._schedules.values()):
                self._forget(schedule)
            self._groups.clear()

    def _checked(
        self, scope: Scope, name: str, request: Mapping[str, Any], created: float, modified: float
    ) -> Schedule:
        window, target = request["FlexibleTimeWindow"], request["Target"]
        if window["Mode"] != "OFF":
            raise invalid("[localcloud] FlexibleTimeWindow FLEXIBLE is not supported yet")
        text = str(request["ScheduleExpression"])
        try:
            expression = parse(text, request.get("ScheduleExpressionTimezone") or "UTC")
        except ValueError as error:
            raise invalid(f"Invalid Schedule Expression {text}. [localcloud] {error}") from error
        late = isinstance(expression, At) and expression.moment <= self._clock.now()
        if late and default_switches().get("past-schedule") == "refuse":
            raise invalid(f"Invalid Schedule Expression {text}. [localcloud] the time is in the past")
        start, end = request.get("StartDate"), request.get("EndDate")
        if start is not None and end is not None and float(end) <= float(start):
            raise invalid("The EndDate you specify must come after the StartDate.")
        targets.check(target, scope.region)
        settings = {member: request[member] for member in _MEMBERS if request.get(member) is not None}
        group = request.get("GroupName") or "default"
        schedule = Schedule(scope, group, name, created, modified, settings, expression)
        try:
            adapter.role_credentials(target["RoleArn"], name, "scheduler.amazonaws.com", schedule.group_arn)
        except adapter.AssumeRoleDenied as error:
            text = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            raise invalid(text) from error
        return schedule

    def _keep(self, schedule: Schedule) -> None:
        self._schedules[(schedule.scope, schedule.group, schedule.name)] = schedule
        self._runner.arm(schedule)

    def _forget(self, schedule: Schedule) -> None:
        self._schedules.pop((schedule.scope, schedule.group, schedule.name), None)
        self._runner.disarm(schedule.arn)

    def _remove_group(self, scope: Scope, group: Group) -> None:
        with self._lock:
            if self._groups.get((scope, group.name)) is not group:
                return
            for schedule in list(self._schedules.values()):
                if (schedule.scope, schedule.group) == (scope, group.name):
                    self._forget(schedule)
            del self._groups[(scope, group.name)]

    def _is_current(self, schedule: Schedule) -> bool:
        with self._lock:
            return self._schedules.get((schedule.scope, schedule.group, schedule.name)) is schedule

    def _completed(self, schedule: Schedule) -> None:
        with self._lock:
            if schedule.deletes_itself and self._is_current(schedule):
                self._forget(schedule)

    def _schedule(self, scope: Scope, group: str, name: str) -> Schedule:
        with self._lock:
            found = self._schedules.get((scope, group, name))
        if found is None:
            raise missing(f"Schedule {name} does not exist.")
        return found

    def _group(self, scope: Scope, name: str) -> Group:
        if name == "default" and (scope, name) not in self._groups:
            now = self._clock.now()
            self._groups[(scope, name)] = Group(name, scope.arn("schedule-group", name), now, now)
        if (scope, name) not in self._groups:
            raise missing(f"Schedule group {name} does not exist.")
        return self._groups[(scope, name)]


def _page(member: str, found: list[dict[str, Any]], size: int, token: str | None) -> dict[str, Any]:
    start = int(token) if token and token.isdigit() else 0
    end = start + min(size or _PAGE, _PAGE)
    return {member: found[start:end], **({"NextToken": str(end)} if end < len(found) else {})}
