"""Portable monitors of a pipeline's endpoint: two schedules, there from the deploy on, and the function they call.

Which version serves, and so which baseline counts, the function asks when it runs. While nothing is in service it
starts nothing: so it may stay until the stack goes.
"""

from __future__ import annotations

from typing import Any

from constructs import Construct

from sandcastle.baseline_request import Analyzer
from sandcastle.code import UploadedAsset
from sandcastle.config import Workload
from sandcastle.config.monitoring import EVERY
from sandcastle.functions import Function
from sandcastle.monitors import reading_of, variables_of
from sandcastle.naming import PipelineNames
from sandcastle.permissions import list_objects, sagemaker_arn
from sandcastle.pipeline import Judging
from sandcastle.pipeline_places import PipelinePlaces
from sandcastle.pipeline_roles import Buckets
from sandcastle.portable_call import run_function, scheduled_call
from sandcastle.portable_schedules import captured_request
from sandcastle.promises import may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement
from sandcastle.schedule import ScheduleRole

_VERSIONS = "versions of exactly this group, by number"


class PipelinePortableSchedules(Construct):
    """``role`` is the function's: it can spend. ``resources`` are the schedules."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: Workload,
        names: PipelineNames,
        places: PipelinePlaces,
        buckets: Buckets,
        capture: str,
        analyzer: Analyzer,
        records: UploadedAsset,
        tags: dict[str, str],
        code: UploadedAsset,
    ) -> None:
        """``capture`` is the folder of captured data in the reports bucket; ``records`` makes rows of them."""
        super().__init__(scope, construct_id)
        self._names, self._places, self._capture = names, places, capture
        function = self._function(buckets, analyzer.role_arn, code)
        self.role = function.role
        role = ScheduleRole(self, "Role", function_arn=function.arn, description="Scheduler calls the monitors")
        group = Resource(self, "Group", "AWS::Scheduler::ScheduleGroup").ref
        self.resources = []
        for kind, name in zip(workload.watched, names.schedules, strict=True):
            request = captured_request(
                analyzer,
                schedule=name,
                endpoint=names.endpoint,
                instance=workload.prepare.instance,
                tags=tags,
                inputs=[],
                records=records,
                reading=reading_of(workload),
                judged=variables_of(Judging.of(workload)) if kind == "model-quality" else None,
            )
            schedule = scheduled_call(
                Construct(self, "Data" if kind == "data-quality" else "Model"),
                name=name,
                group=group,
                expression=EVERY["hourly"],
                function_arn=function.arn,
                role_arn=role.arn,
                call=self._call(kind, name, workload.serve.variant_names, request),
            )
            self.resources.append(schedule)

    def _call(self, kind: str, name: str, variants: tuple[str, ...], request: dict[str, Any]) -> dict[str, Any]:
        names, places, judges = self._names, self._places, kind == "model-quality"
        return {
            "at": "<aws.scheduler.scheduled-time>",
            "schedule": name,
            "endpoint": names.endpoint,
            "packages": sagemaker_arn("model-package", names.group),
            "variants": list(variants),
            "hours": 1,
            "late": 1 if judges else 0,
            "capture": f"s3://{places.reports_bucket}/{self._capture}",
            "truth": f"s3://{places.reports_bucket}/{places.truth}" if judges else "",
            "reports": f"{places.reports_uri}/{kind}",
            "prefix": names.run_prefix,
            "part": names.stack_part,
            "request": request,
        }

    def _function(self, buckets: Buckets, role: str, code: UploadedAsset) -> Function:
        names, places = self._names, self._places
        packages = sagemaker_arn("model-package", f"{names.group}/*")
        return run_function(
            self,
            handler="pipeline_run.handler",
            description="Starts the job of a monitor of what a pipeline has put in service",
            code=code,
            run_prefix=names.run_prefix,
            role=role,
            statements=[
                Statement(["sagemaker:DescribeEndpoint"], [sagemaker_arn("endpoint", names.endpoint)]),
                Statement(["sagemaker:DescribeModelPackage"], [packages], reason=_VERSIONS),
                list_objects(buckets.reports, f"{self._capture}/*", f"{places.truth}/*"),
            ],
            promises=[may_not("s3:GetObject", "*"), may_not("s3:PutObject", "*")],
        )
