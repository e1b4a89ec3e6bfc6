"""Monitoring schedules.

    create, update, start:  Pending -> Scheduled (fires)
    stop:                   Pending -> Stopped
    delete:                 Pending -> gone

While it is Pending nothing else may be asked of a schedule; while an execution runs it can be neither updated nor
deleted ([R] facts teardown 1.18). Hours are the clock's: a jump over a day fires an hourly schedule 24 times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.job_definition import JobDefinitions
from localcloud.sagemaker.kinds.processing_job import ProcessingJobs
from localcloud.sagemaker.monitoring.analysis import INLINE, Analysis, MonitoringType, data_input
from localcloud.sagemaker.monitoring.executions import Executions
from localcloud.sagemaker.monitoring.rhythm import Rhythm, Window
from localcloud.sagemaker.monitoring.run import Run
from localcloud.sagemaker.monitoring.schedule import Plan, ScheduleRecord
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Table, tag_map

_CONFIG: Tree = {
    "ScheduleConfig": {"ScheduleExpression": ANY, "DataAnalysisStartTime": ANY, "DataAnalysisEndTime": ANY},
    "MonitoringJobDefinition": INLINE,
    "MonitoringJobDefinitionName": ANY,
    "MonitoringType": only("DataQuality", "ModelQuality"),
}
_NAME: Tree = {"MonitoringScheduleName": ANY}
_RESOURCE = ("monitoring-schedule", "MonitoringScheduleName")
_LISTING = listing.Listing("MonitoringScheduleSummaries", "Descending")
_WATCHED: Tree = {"EndpointName": ANY, "MonitoringJobDefinitionName": ANY, "MonitoringTypeEquals": ANY}
_LIST: Tree = {**listing.STATUS_LIST, **_WATCHED}
_LIST_EXECUTIONS: Tree = {
    **{member: rule for member, rule in _LIST.items() if member != "NameContains"},
    "MonitoringScheduleName": ANY,
    "ScheduledTimeAfter": ANY,
    "ScheduledTimeBefore": ANY,
}
#: the longest MaxRuntimeInSeconds of an hourly run ([B] MonitoringStoppingCondition)
_HOURLY_RUNTIME: Mapping[MonitoringType, int] = {"DataQuality": 3600, "ModelQuality": 1800}
#: and of any other ([B])
_LONGEST_RUNTIME = 86400


class MonitoringSchedules:
    """Create, Describe, List, Update, Start, Stop and Delete of schedules, and ListMonitoringExecutions."""

    def __init__(self, core: Core, definitions: JobDefinitions, jobs: ProcessingJobs) -> None:
        """No schedules yet; ``jobs`` run what ``definitions`` say."""
        self._core = core
        self._definitions = definitions
        self._executions = Executions(core, jobs, definitions.flush)
        self._table: Table[ScheduleRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        change: Tree = {"MonitoringScheduleName": ANY, "MonitoringScheduleConfig": _CONFIG}
        return {
            "CreateMonitoringSchedule": Operation(self.create, {**change, "Tags": TAGS}, _RESOURCE),
            "UpdateMonitoringSchedule": Operation(self.update, change, _RESOURCE),
            "DescribeMonitoringSchedule": Operation(self.describe, _NAME, _RESOURCE),
            "ListMonitoringSchedules": Operation(self.list_page, _LIST),
            "StartMonitoringSchedule": Operation(self.start, _NAME, _RESOURCE),
            "StopMonitoringSchedule": Operation(self.stop, _NAME, _RESOURCE),
            "DeleteMonitoringSchedule": Operation(self.delete, _NAME, _RESOURCE),
            "ListMonitoringExecutions": Operation(self.list_executions, _LIST_EXECUTIONS),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Pending, then Scheduled; ``NOW`` runs once as soon as it is."""
        asked, scope = request.parameters, request.scope
        name = asked["MonitoringScheduleName"]
        arn = scope.arn("monitoring-schedule", name)
        self._core.require_tagging(request, arn)
        plan = self._plan(request)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._table.get(scope, name) is not None:
                raise errors.resource_in_use(f"Monitoring schedule {arn} already exists.")
            record = ScheduleRecord(scope, name, arn, asked, now, now, tags=tag_map(asked.get("Tags")), plan=plan)
            self._table.add(record)
            self._pass_through_pending(record, self._scheduled)
        return {"MonitoringScheduleArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Pending, then what it was before."""
        plan = self._plan(request)
        with self._core.store.lock:
            record = self._require(request)
            self._require_settled(record)
            self._require_idle(record)
            record.plan = plan
            then = self._stopped if record.status == "Stopped" else self._scheduled
            self._pass_through_pending(record, then)
        return {"MonitoringScheduleArn": record.arn}

    def start(self, request: Request) -> dict[str, Any]:
        """A stopped schedule fires again."""
        self._switch(request, "Stopped", self._scheduled)
        return {}

    def stop(self, request: Request) -> dict[str, Any]:
        """No more firings; an execution that runs goes on ([R] the SDK stops its job by itself)."""
        self._switch(request, "Scheduled", self._stopped)
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """Also stops the schedule; its executions stay listed ([B])."""
        with self._core.store.lock:
            record = self._require(request)
            self._require_settled(record)
            self._require_idle(record)
            if self._core.switches.get("schedule-delete-read") == "stale":
                record.stale = record.status
                self._core.clock.call_later(
                    durations.SCHEDULE_STALE_READ, partial(self._show_truth, record), kind="settle"
                )
            self._pass_through_pending(record, self._table.remove)
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Status, configuration and the newest execution."""
        with self._core.store.lock:
            record = self._require(request)
            return {
                **_summary(record),
                "MonitoringScheduleConfig": record.plan.config,
                "LastMonitoringExecutionSummary": self._executions.last(record.scope, record.name),
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            found = [r for r in self._table.of(request.scope) if _matches(r, request.parameters)]
            return listing.page(request.parameters, found, _LISTING, _summary)

    def list_executions(self, request: Request) -> dict[str, Any]:
        """One page of executions, of one schedule or of all."""
        return self._executions.list_page(request.scope, request.parameters)

    def reset(self) -> None:
        """Forget every record and every execution."""
        with self._core.store.lock:
            for record in self._table.all():
                if record.timer:
                    record.timer.cancel()
            self._table.clear()
        self._executions.reset()

    def _plan(self, request: Request) -> Plan:
        """The configuration, understood. Raises ValidationException."""
        config, scope = request["MonitoringScheduleConfig"], request.scope
        name, inline = config.get("MonitoringJobDefinitionName"), config.get("MonitoringJobDefinition")
        if (name is None) == (inline is None):
            raise errors.validation(
                "MonitoringScheduleConfig must contain either MonitoringJobDefinition or MonitoringJobDefinitionName."
            )
        kind: MonitoringType = config.get("MonitoringType", "DataQuality")
        if inline is None:
            analysis = self._analysis(kind, scope, str(name))
        else:
            self._core.require_role(request, inline["RoleArn"])
            source = self._definitions.source_of(scope, data_input(inline["MonitoringInputs"][0]))
            analysis = Analysis.of_inline(kind, inline, source)
        timing = config.get("ScheduleConfig")
        if timing is None:
            raise errors.validation("MonitoringScheduleConfig must contain ScheduleConfig.")
        rhythm = Rhythm.parse(timing["ScheduleExpression"])
        start = timing.get("DataAnalysisStartTime", analysis.data.get("StartTimeOffset"))
        end = timing.get("DataAnalysisEndTime", analysis.data.get("EndTimeOffset"))
        if not rhythm.step and not (start and end):
            raise errors.validation("DataAnalysisStartTime and DataAnalysisEndTime are required for a schedule NOW.")
        longest = _HOURLY_RUNTIME[kind] if rhythm.step == 1 else _LONGEST_RUNTIME
        if (analysis.max_runtime or 0) > longest:
            raise errors.validation(
                f"MaxRuntimeInSeconds {analysis.max_runtime} of a {kind} job must be at most {longest} seconds, "
                "the time between two runs."
            )
        return Plan(config, analysis, rhythm, Window.parse(start, end, rhythm))

    def _analysis(self, kind: MonitoringType, scope: Scope, definition: str) -> Analysis:
        try:
            return self._definitions.require(kind, scope, definition).analysis
        except errors.ServiceError as missing:
            # CreateMonitoringSchedule has no ResourceNotFound in the service model
            raise errors.validation(missing.message) from None

    def _require(self, request: Request) -> ScheduleRecord:
        name = request["MonitoringScheduleName"]
        record = self._table.get(request.scope, name)
        if record is None:
            arn = request.scope.arn("monitoring-schedule", name)
            raise errors.resource_not_found(f"Could not find monitoring schedule {arn}.")
        return record

    def _require_settled(self, record: ScheduleRecord) -> None:
        if record.status == "Pending":
            raise errors.validation("Monitoring schedule in status Pending cannot be modified or deleted.")

    def _require_idle(self, record: ScheduleRecord) -> None:
        execution = self._executions.active(record.scope, record.name)
        if execution:
            raise errors.validation(
                f"Monitoring Job in {execution.status} state. Schedules with running executions cannot be modified "
                "or deleted."
            )

    def _switch(self, request: Request, status: str, then: Callable[[ScheduleRecord], None]) -> None:
        with self._core.store.lock:
            record = self._require(request)
            self._require_settled(record)
            if record.status != status:
                raise errors.validation(f"Monitoring schedule in status {record.status} is not {status}.")
            self._pass_through_pending(record, then)

    def _pass_through_pending(self, record: ScheduleRecord, then: Callable[[ScheduleRecord], None]) -> None:
        """Pending for a while, then on; hold the lock."""
        if record.timer:
            record.timer.cancel()
        self._change(record, "Pending")
        record.timer = self._core.clock.call_later(
            durations.SCHEDULE_CHANGE, partial(self._locked, then, record), kind="settle"
        )

    def _locked(self, step: Callable[[ScheduleRecord], None], record: ScheduleRecord) -> None:
        with self._core.store.lock:
            step(record)

    def _scheduled(self, record: ScheduleRecord) -> None:
        self._change(record, "Scheduled")
        if record.plan.rhythm.step:
            self._await_next(record)
        else:
            self._fire(record, self._core.clock.now(), delayed=False)

    def _stopped(self, record: ScheduleRecord) -> None:
        self._change(record, "Stopped")

    def _show_truth(self, record: ScheduleRecord) -> None:
        with self._core.store.lock:
            record.stale = None
            self._core.store.changed.notify_all()

    def _change(self, record: ScheduleRecord, status: str) -> None:
        record.status = status
        record.modified = self._core.clock.now()
        self._core.store.changed.notify_all()

    def _await_next(self, record: ScheduleRecord) -> None:
        due = record.plan.rhythm.next_after(self._core.clock.now())
        record.timer = self._core.clock.call_at(due, partial(self._due, record, due), kind="calendar")

    def _due(self, record: ScheduleRecord, due: float) -> None:
        with self._core.store.lock:
            if record.status == "Scheduled" and self._table.get(record.scope, record.name) is record:
                self._await_next(record)
                self._fire(record, due, delayed=True)

    def _fire(self, record: ScheduleRecord, scheduled: float, delayed: bool) -> None:
        plan = record.plan
        tags = record.tags if self._core.switches.get("monitoring-job-tags") == "schedule" else {}
        longest = _HOURLY_RUNTIME[record.type] if plan.rhythm.step == 1 else _LONGEST_RUNTIME
        run = Run(record.name, record.arn, plan.analysis, scheduled, plan.window, longest, dict(tags))
        self._executions.begin(record.scope, run, record.definition, delayed)


def _matches(record: ScheduleRecord, request: Mapping[str, Any]) -> bool:
    shown = {
        "EndpointName": record.plan.analysis.source.endpoint,
        "MonitoringJobDefinitionName": record.definition,
        "MonitoringTypeEquals": record.type,
    }
    return all(request.get(member, value) == value for member, value in shown.items())


def _summary(record: ScheduleRecord) -> dict[str, Any]:
    return {
        "MonitoringScheduleName": record.name,
        "MonitoringScheduleArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "MonitoringScheduleStatus": record.stale or record.status,
        "EndpointName": record.plan.analysis.source.endpoint,
        "MonitoringJobDefinitionName": record.definition,
        "MonitoringType": record.type,
    }
