"""The portable engine: Scheduler calls a function, which starts a processing job of this project's analyzer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.baseline_request import MINUTES, VOLUME_GB, Analyzer
from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.monitor_roles import MonitorAccess
from sandcastle.monitors import ENDPOINT_INPUT, DataQualityMonitor, ModelQualityMonitor, Watched
from sandcastle.permissions import list_objects, sagemaker_arn
from sandcastle.portable_call import run_function, scheduled_call
from sandcastle.processing_request import INPUT, OUTPUT, Machine, processing_input, tag_list
from sandcastle.promises import may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement
from sandcastle.schedule import ScheduleRole

_TRUTH = "/opt/ml/processing/groundtruth"
_EMPTY = "only when nothing was captured: is there an endpoint at all?"


class PortableSchedules(Construct):
    """A schedule for each monitor, and the function that all of them call. ``role`` is the function's: it can spend."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: str,
        monitors: Mapping[DataQualityMonitor | ModelQualityMonitor, cdk.CfnResource],
        watched: Watched,
        access: MonitorAccess,
        capture: str,
        code: UploadedAsset,
    ) -> None:
        """``endpoint`` is its name, as an attribute of the endpoint; ``capture`` the address of captured data."""
        super().__init__(scope, construct_id)
        self._endpoint, self._watched, self._capture = endpoint, watched, capture
        function = self._function(access, [one.type for one in monitors], code)
        self.role = function.role
        role = ScheduleRole(self, "Role", function_arn=function.arn, description="Scheduler calls the monitors")
        group = Resource(self, "Group", "AWS::Scheduler::ScheduleGroup").ref
        for one, baseline in monitors.items():
            schedule = scheduled_call(
                one,
                name=one.schedule,
                group=group,
                expression=one.monitor.expression,
                function_arn=function.arn,
                role_arn=role.arn,
                call=self._input(one),
            )
            schedule.add_resource_dependency(baseline)

    def _function(self, access: MonitorAccess, types: Sequence[str], code: UploadedAsset) -> Function:
        endpoint = sagemaker_arn("endpoint", access.names.endpoint)
        labels = [list_objects(access.data_arn, f"{access.places.truth_folder}/*")] if "ModelQuality" in types else []
        return run_function(
            self,
            handler="monitor_run.handler",
            description="Starts the job of a monitor over the hours since its last one",
            code=code,
            run_prefix=access.names.run_prefix,
            role=self._watched.analyzer.role_arn,
            statements=[
                Statement(["sagemaker:DescribeEndpoint"], [endpoint], unseen={"sagemaker:DescribeEndpoint": _EMPTY}),
                list_objects(access.reports_arn, f"{access.capture}/*"),
                *labels,
            ],
            promises=[may_not("s3:GetObject", "*"), may_not("s3:PutObject", "*")],
        )

    def _input(self, monitor: DataQualityMonitor | ModelQualityMonitor) -> dict[str, Any]:
        watched, of_model = self._watched, monitor.type == "ModelQuality"
        return {
            "at": "<aws.scheduler.scheduled-time>",
            "schedule": monitor.schedule,
            "endpoint": self._endpoint,
            "variants": list(watched.workload.serve.variant_names),
            "hours": monitor.monitor.hours,
            "late": 1 if of_model else 0,
            "capture": self._capture,
            "truth": watched.places.truth if of_model else "",
            "reports": watched.places.reports,
            "prefix": watched.names.run_prefix,
            "part": watched.names.stack_part,
            "request": self._request(monitor),
        }

    def _request(self, monitor: DataQualityMonitor | ModelQualityMonitor) -> dict[str, Any]:
        watched = self._watched
        return captured_request(
            watched.analyzer,
            schedule=monitor.schedule,
            endpoint=self._endpoint,
            instance=watched.workload.prepare.instance,
            tags=watched.tags,
            inputs=[processing_input("baseline", f"{monitor.baseline}/", f"{INPUT}/baseline")],
            records=watched.records,
            reading=watched.reading,
            judged=monitor.variables if isinstance(monitor, ModelQualityMonitor) else None,
        )


def captured_request(
    analyzer: Analyzer,
    *,
    schedule: str,
    endpoint: str,
    instance: str,
    tags: Mapping[str, str],
    inputs: Sequence[dict[str, Any]],
    records: UploadedAsset,
    reading: Mapping[str, str],
    judged: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return the CreateProcessingJob request without what changes from run to run.

    ``judged`` is what the analyzer is told of the model where its answers are looked at, else its requests are.
    It is not isolated from the network: it puts its metrics itself, as nobody else does for such a job.
    """
    machine = Machine(instance, VOLUME_GB, MINUTES)
    read = [*analyzer.inputs, *inputs]
    variables = {
        "dataset_source": ENDPOINT_INPUT,
        "output_path": OUTPUT,
        "baseline_constraints": f"{INPUT}/baseline/constraints.json",
        "publish_cloudwatch_metrics": "Enabled",
        "SANDCASTLE_PUBLISH": "1",
        "sagemaker_endpoint_name": endpoint,
        "sagemaker_monitoring_schedule_name": schedule,
    }
    sides = ["endpointOutput"]
    if judged is not None:
        variables |= {**judged, "ground_truth_source": _TRUTH}
    else:
        sides.insert(0, "endpointInput")
        read.append(processing_input("script", records.url, f"{INPUT}/script"))
        variables |= {
            **reading,
            "baseline_statistics": f"{INPUT}/baseline/statistics.json",
            "record_preprocessor_script": f"{INPUT}/script/{records.file_name}",
        }
    variables["dataset_format"] = json.dumps({"sagemakerCaptureJson": {"captureIndexNames": sides}})
    return {
        "AppSpecification": analyzer.specification,
        "Environment": variables,
        "ProcessingInputs": read,
        "ProcessingResources": machine.resources,
        "RoleArn": analyzer.role_arn,
        "StoppingCondition": machine.stopping_condition,
        "Tags": tag_list(tags),
    }
