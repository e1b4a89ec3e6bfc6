"""The portable engine over transform jobs: Scheduler calls a function, which starts a job over what they were asked."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.baseline_request import MINUTES, VOLUME_GB
from sandcastle.batch_monitor import BATCH_INPUT, BatchDataQualityMonitor
from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.monitor_roles import MonitorAccess
from sandcastle.monitors import Watched
from sandcastle.permissions import list_objects, read_objects
from sandcastle.portable_call import run_function, scheduled_call
from sandcastle.processing_request import INPUT, OUTPUT, Machine, processing_input, tag_list
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement
from sandcastle.schedule import ScheduleRole

_MANIFESTS = "SageMaker names manifests by the hour and at random, below the workload's own folder"
_WRITTEN = "a manifest for each run, named like its job"


class PortableBatchSchedule(Construct):
    """A schedule for the monitor of transform jobs, and its function. ``role`` is the function's: it can spend."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monitor: BatchDataQualityMonitor,
        baseline: cdk.CfnResource,
        watched: Watched,
        access: MonitorAccess,
        code: UploadedAsset,
    ) -> None:
        """``baseline`` is what the schedule waits for."""
        super().__init__(scope, construct_id)
        self._watched = watched
        function = self._function(access, code)
        self.role = function.role
        role = ScheduleRole(self, "Role", function_arn=function.arn, description="Scheduler calls the batch monitor")
        schedule = scheduled_call(
            monitor,
            name=monitor.schedule,
            group=Resource(self, "Group", "AWS::Scheduler::ScheduleGroup").ref,
            expression=monitor.monitor.expression,
            function_arn=function.arn,
            role_arn=role.arn,
            call=self._input(monitor),
        )
        schedule.add_resource_dependency(baseline)

    def _function(self, access: MonitorAccess, code: UploadedAsset) -> Function:
        places = access.places
        captured, written = f"{places.transforms}/captured/input/*", f"{places.manifests}/*"
        return run_function(
            self,
            handler="batch_monitor_run.handler",
            description="Starts the job of a monitor over the transform jobs since its last one",
            code=code,
            run_prefix=access.names.run_prefix,
            role=self._watched.analyzer.role_arn,
            statements=[
                read_objects(access.data_arn, captured, reason=_MANIFESTS),
                list_objects(access.data_arn, captured),
                Statement(["s3:PutObject"], [f"{access.reports_arn}/{written}"], reason=_WRITTEN),
            ],
            promises=[
                may("s3:GetObject", f"{access.data_arn}/{captured}"),
                may("s3:PutObject", f"{access.reports_arn}/{written}"),
                may_not("s3:GetObject", f"{access.data_arn}/{access.prepared}/*"),
                may_not("s3:PutObject", f"{access.reports_arn}/{places.folder}/baselines/*"),
                may_not("s3:PutObject", f"{access.data_arn}/*"),
            ],
        )

    def _input(self, monitor: BatchDataQualityMonitor) -> dict[str, Any]:
        watched = self._watched
        return {
            "at": "<aws.scheduler.scheduled-time>",
            "schedule": monitor.schedule,
            "hours": monitor.monitor.hours,
            "late": 1,
            "captured": watched.places.captured,
            "manifests": f"s3://{watched.places.reports_bucket}/{watched.places.manifests}",
            "reports": watched.places.reports,
            "prefix": watched.names.run_prefix,
            "part": watched.names.stack_part,
            "request": self._request(monitor),
        }

    def _request(self, monitor: BatchDataQualityMonitor) -> dict[str, Any]:
        """Return the CreateProcessingJob request without what changes from run to run.

        It is not isolated from the network: it puts its metrics itself, as nobody else does for such a job.
        """
        watched, analyzer = self._watched, self._watched.analyzer
        machine = Machine(watched.workload.prepare.instance, VOLUME_GB, MINUTES)
        return {
            "AppSpecification": analyzer.specification,
            "Environment": {
                "dataset_format": json.dumps({"csv": {"header": False}}),
                "dataset_source": BATCH_INPUT,
                "output_path": OUTPUT,
                "baseline_constraints": f"{INPUT}/baseline/constraints.json",
                "baseline_statistics": f"{INPUT}/baseline/statistics.json",
                "publish_cloudwatch_metrics": "Enabled",
                "SANDCASTLE_PUBLISH": "1",
                "sagemaker_monitoring_schedule_name": monitor.schedule,
            },
            "ProcessingInputs": [
                *analyzer.inputs,
                processing_input("baseline", f"{monitor.baseline}/", f"{INPUT}/baseline"),
            ],
            "ProcessingResources": machine.resources,
            "RoleArn": analyzer.role_arn,
            "StoppingCondition": machine.stopping_condition,
            "Tags": tag_list(watched.tags),
        }
