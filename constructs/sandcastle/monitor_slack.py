"""Slack for baselines: constraints that chance alone does not violate, whichever engine looks."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.config import BATCH
from sandcastle.functions import Function, service_timeout
from sandcastle.monitor_roles import MonitorAccess
from sandcastle.monitors import DataQualityMonitor, ModelQualityMonitor
from sandcastle.permissions import list_objects, read_objects
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement

_TIMEOUT_SECONDS = 300
_MEMORY_MB = 1024
"""Statistics of 785 columns are 7 MB as text, up to 40 MB from 60,000 rows on, and several times that as objects."""

_BASELINES = "baselines of this workload only, in a folder for each fingerprint"


class BaselineSlack(Construct):
    """Gives each baseline slack as soon as its job has made it; ``resources`` are what schedules have to wait for."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monitors: Mapping[DataQualityMonitor | ModelQualityMonitor, cdk.CfnResource],
        labelled: bool,
        access: MonitorAccess,
        code: UploadedAsset,
    ) -> None:
        """``monitors`` have the jobs of their baselines; ``labelled``: an endpoint's data have a label in front."""
        super().__init__(scope, construct_id)
        files = f"{access.places.folder}/baselines/*"
        function = Function(
            self,
            "Function",
            handler="monitor_slack.handler",
            description="Gives the constraints of baselines the slack that chance takes",
            code=code,
            timeout_seconds=_TIMEOUT_SECONDS,
            memory_mb=_MEMORY_MB,
            statements=[
                read_objects(access.reports_arn, files, reason=_BASELINES),
                list_objects(access.reports_arn, files),
                Statement(["s3:PutObject"], [f"{access.reports_arn}/{files}"], reason=_BASELINES),
            ],
            promises=[
                may("s3:PutObject", f"{access.reports_arn}/{files}"),
                may_not("s3:PutObject", f"{access.reports_arn}/{access.places.folder}/reports/*"),
                may_not("s3:GetObject", f"{access.reports_arn}/{access.capture}/*"),
                may_not("s3:GetObject", f"{access.data_arn}/*"),
                may_not("s3:DeleteObject", "*"),
                may_not("iam:PassRole", "*"),
            ],
        )
        self.resources: dict[DataQualityMonitor | ModelQualityMonitor, cdk.CfnResource] = {}
        for one, job in monitors.items():
            slack = Resource(
                one,
                "Slack",
                "Custom::SandcastleBaselineSlack",
                tagged=False,
                ServiceToken=function.arn,
                ServiceTimeout=service_timeout(_TIMEOUT_SECONDS),
                Baseline=one.baseline,
                Rows=one.monitor.rows,
                Labelled=labelled and one.kind != BATCH,
            )
            slack.add_resource_dependency(job)
            self.resources[one] = slack
