"""Lambda step of a pipeline: watches the endpoint every hour, with the baselines of the version that it serves.

The event has ``package``, the ARN of the version that was deployed, and ``endpoint``. What is there with the same
content stays as it is, so that the function may be called again at any time; other content is another job definition,
which the schedule is updated to before the old one is deleted. With a variable ``WINDOW_ROWS`` the baselines get slack
first (``monitor_slack``). Another execution may deploy its version meanwhile: what
counts is what serves in the end, whichever of the executions looks last.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError
from monitor_slack import give_slack_to_package
from pipeline_endpoint import is_missing
from pipeline_monitors import HOURLY, KINDS, Kind, Monitors, is_definition_of
from pipeline_settings import tag_list, version_of_config
from pipeline_waiting import Busy, Patience

_MISSING = {"ResourceNotFound", "ResourceNotFoundException"}


class ScheduleError(Exception):
    """A monitor cannot be brought up to date; the text says why and what to do."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point: return endpoint, the version that is watched, and the schedules' names joined by blanks.

    Raises ScheduleError, and ClientError for what SageMaker refuses.
    """
    sagemaker, endpoint = client("sagemaker"), event["endpoint"]
    monitors = Monitors.of(os.environ, endpoint)
    watch = Watch(sagemaker, monitors, context)
    watched, now = 0, serving(sagemaker, endpoint)
    while now != watched:
        package = sagemaker.describe_model_package(ModelPackageName=sibling(event["package"], now))
        baselines = package.get("DriftCheckBaselines", {})
        if rows := os.environ.get("WINDOW_ROWS"):
            give_slack_to_package(client("s3"), baselines, int(rows))
        for kind in KINDS:
            watch.bring_up_to_date(kind, baselines)
        watched, now = now, serving(sagemaker, endpoint)
    schedules = " ".join(monitors.schedule(kind) for kind in KINDS)
    return {"endpoint": endpoint, "version": watched, "schedules": schedules}


class Watch:
    """The schedules of one endpoint. Raises ClientError for what SageMaker refuses."""

    def __init__(self, sagemaker: Any, monitors: Monitors, context: Any) -> None:
        """``context`` is what Lambda hands over: it knows how much time is left."""
        self._sagemaker = sagemaker
        self._monitors = monitors
        self._patience = Patience(context)

    def bring_up_to_date(self, kind: Kind, baselines: dict[str, Any]) -> None:
        """Have the monitor compare with these baselines. Raises ScheduleError when its schedule stays busy."""
        wanted = self._monitors.definition(kind, baselines)
        schedule, definition = self._monitors.schedule(kind), wanted["JobDefinitionName"]
        try:
            while True:
                self._ensure_definition(kind, wanted)
                if self._is_up_to_date(kind, schedule, definition):
                    break
        except Busy as busy:
            raise ScheduleError(
                f"monitoring schedule {schedule} {busy} and cannot be changed: try again later"
            ) from None
        self._delete_former(kind, schedule, definition)

    def _ensure_definition(self, kind: Kind, wanted: dict[str, Any]) -> None:
        """Make the job definition, unless it is there: its name stands for its content."""
        create, _ = self._operations(kind)
        try:
            create(**wanted)
        except ClientError as error:
            if code_of(error) != "ResourceInUse":
                raise

    def _is_up_to_date(self, kind: Kind, schedule: str, definition: str) -> bool:
        """Take one step with the schedule, when nothing is at work on it; say whether none was needed. Raises Busy."""
        found = self._patience.wait(
            lambda: self._look(schedule), lambda found: _status(found) != "Pending", lambda _: "is Pending"
        )
        plan = self._monitors.plan(kind, definition)
        if found is None:
            self._create(kind, schedule, plan)
            return False
        config = found["MonitoringScheduleConfig"]
        rhythm = config.get("ScheduleConfig", {}).get("ScheduleExpression")
        if config.get("MonitoringJobDefinitionName") == definition and rhythm == HOURLY and _status(found) != "Failed":
            return True
        try:
            self._sagemaker.update_monitoring_schedule(MonitoringScheduleName=schedule, MonitoringScheduleConfig=plan)
        except ClientError as error:  # facts on teardown, 1.18: not while one of its jobs runs, which may take an hour
            expected = "running" in text_of(error).lower() or _status(self._look(schedule)) == "Pending"
            if not expected and definition in self._definitions(kind):
                raise
            self._patience.pause("has a job that runs")
        return False

    def _look(self, schedule: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule)
        except ClientError as error:
            if not _is_missing(error):
                raise
            return None
        return found

    def _create(self, kind: Kind, schedule: str, plan: dict[str, Any]) -> None:
        """Create the schedule; somebody else may have been quicker, or may have deleted the definition."""
        try:
            self._sagemaker.create_monitoring_schedule(
                MonitoringScheduleName=schedule,
                MonitoringScheduleConfig=plan,
                Tags=tag_list(self._monitors.tags),
            )
        except ClientError as error:
            gone = plan["MonitoringJobDefinitionName"] not in self._definitions(kind)
            if code_of(error) != "ResourceInUse" and not gone:
                raise

    def _delete_former(self, kind: Kind, schedule: str, definition: str) -> None:
        """Delete the schedule's other job definitions, but for one that it was updated to since."""
        _, delete = self._operations(kind)
        for name in self._definitions(kind):
            if name != definition and is_definition_of(name, schedule):
                try:
                    delete(JobDefinitionName=name)
                except ClientError as error:
                    if not _is_missing(error) and self._used(schedule) != name:
                        raise

    def _definitions(self, kind: Kind) -> list[str]:
        """Return the names of the endpoint's job definitions of this kind."""
        of_data = kind == "DataQuality"
        listing = "list_data_quality_job_definitions" if of_data else "list_model_quality_job_definitions"
        pages = self._sagemaker.get_paginator(listing).paginate(EndpointName=self._monitors.endpoint)
        return [one["MonitoringJobDefinitionName"] for page in pages for one in page["JobDefinitionSummaries"]]

    def _used(self, schedule: str) -> str:
        found = self._look(schedule) or {"MonitoringScheduleConfig": {}}
        return str(found["MonitoringScheduleConfig"].get("MonitoringJobDefinitionName", ""))

    def _operations(self, kind: Kind) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return what creates and what deletes a job definition of the kind."""
        sagemaker = self._sagemaker
        if kind == "DataQuality":
            return sagemaker.create_data_quality_job_definition, sagemaker.delete_data_quality_job_definition
        return sagemaker.create_model_quality_job_definition, sagemaker.delete_model_quality_job_definition


def serving(sagemaker: Any, endpoint: str) -> int:
    """Return the version in service. Raises ScheduleError when it is none of a pipeline's."""
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    version = version_of_config(config)
    if version is None:
        raise ScheduleError(f"{endpoint} serves {config}, which no pipeline deployed: there is nothing to compare with")
    return version


def sibling(package: str, version: int) -> str:
    """Return the ARN of another version of the same group."""
    group, _, _ = package.rpartition("/")
    return f"{group}/{version}"


def _status(found: dict[str, Any] | None) -> str:
    return str(found["MonitoringScheduleStatus"]) if found else ""


def _is_missing(error: ClientError) -> bool:
    return code_of(error) in _MISSING or is_missing(error)
