"""Model Monitor's schedules of an endpoint, and the janitor that brings them to rest before they change or go."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.janitor import SERVICE_TIMEOUT_SECONDS, WAIT_SECONDS, Janitor
from sandcastle.monitor_roles import SERVICE_JOBS
from sandcastle.monitors import DataQualityMonitor, ModelQualityMonitor
from sandcastle.permissions import sagemaker_arn
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement

_JOBS = "a schedule's jobs have names of SageMaker's and no tags; the function asks the schedule for them"
_STAYS = "only when monitors go and their environment stays: a destroy has deleted the schedules before"
_LISTED = "lists are no resources: the service authorization reference names none for them"


class ModelMonitorSchedules(Construct):
    """A definition and a schedule for each monitor; ``resources`` are the schedules, by their names.

    Before CloudFormation updates a schedule its jobs end, and before it deletes one it is gone already: CloudFormation
    waits for no job, and fails on a schedule that has one (facts on teardown, 1.18). Both depend on the endpoint, so
    they go before it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: str,
        monitors: Mapping[DataQualityMonitor | ModelQualityMonitor, cdk.CfnResource],
        code: UploadedAsset,
    ) -> None:
        """``endpoint`` is its name, as an attribute of the endpoint; each monitor has the job of its baseline."""
        super().__init__(scope, construct_id)
        definitions = {one: one.definition(endpoint) for one in monitors}
        for one, definition in definitions.items():
            definition.add_resource_dependency(monitors[one])
        names = [one.schedule for one in monitors]
        rest = self._janitor(names, code)
        pause = Resource(
            self,
            "Pause",
            "Custom::SandcastleMonitorPause",
            tagged=False,
            ServiceToken=rest.function.arn,
            ServiceTimeout=SERVICE_TIMEOUT_SECONDS,
            WaitSeconds=WAIT_SECONDS,
            When="Update",
            Schedules=names,
            Definitions=[definition.ref for definition in definitions.values()],
            Expressions=[one.monitor.expression for one in monitors],
        )
        self.resources: list[cdk.CfnResource] = []
        for one, definition in definitions.items():
            name = cdk.Fn.select(1, cdk.Fn.split("/", definition.ref))
            schedule = Resource(
                one,
                "Schedule",
                "AWS::SageMaker::MonitoringSchedule",
                MonitoringScheduleName=one.schedule,
                MonitoringScheduleConfig={
                    "ScheduleConfig": {"ScheduleExpression": one.monitor.expression},
                    "MonitoringJobDefinitionName": name,
                    "MonitoringType": one.type,
                },
            )
            schedule.add_resource_dependency(pause)
            rest.runs_before(schedule)
            self.resources.append(schedule)

    def _janitor(self, names: list[str], code: UploadedAsset) -> Janitor:
        schedules = [sagemaker_arn("monitoring-schedule", name) for name in names]
        return Janitor(
            self,
            "Rest",
            kind="Custom::SandcastleMonitorRest",
            handler="monitor_rest.handler",
            description="Brings monitoring schedules to rest before they change or go",
            code=code,
            statements=[
                Statement(
                    [f"sagemaker:{verb}MonitoringSchedule" for verb in ("Delete", "Describe", "Stop")],
                    schedules,
                    unseen={f"sagemaker:{verb}MonitoringSchedule": _STAYS for verb in ("Delete", "Stop")},
                ),
                Statement(["sagemaker:ListMonitoringExecutions"], ["*"], reason=_LISTED),
                Statement(
                    ["sagemaker:StopProcessingJob"],
                    [sagemaker_arn("processing-job", f"{kind}-*") for kind in SERVICE_JOBS],
                    reason=_JOBS,
                    unseen={"sagemaker:StopProcessingJob": "only when a job runs while its schedule changes or goes"},
                ),
            ],
            promises=[
                *(may("sagemaker:DeleteMonitoringSchedule", arn) for arn in schedules),
                may_not("sagemaker:DeleteMonitoringSchedule", sagemaker_arn("monitoring-schedule", "other")),
                may_not("sagemaker:StopProcessingJob", sagemaker_arn("processing-job", "other-*")),
                may_not("sagemaker:DeleteEndpoint", "*"),
                may_not("sagemaker:CreateMonitoringSchedule", "*"),
            ],
            properties={"When": "Delete", "Schedules": names},
        )
