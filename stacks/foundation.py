"""The foundation: what all workloads of an environment share."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.buckets import AccessLogs, Bucket, BucketJanitor
from sandcastle.code import code_asset
from sandcastle.config import Environment
from sandcastle.network import Network
from sandcastle.resource import EnvironmentStack
from sandcastle.tutorials import tutorials
from stacks.guardrails import Guardrails

CAPTURE_DAYS = 30
"""How long requests and answers are kept, captured or asynchronous: they are data of whoever asks, and pile up.
Whatever else lies in the reports bucket stays until the environment goes."""


class Foundation(EnvironmentStack):
    """Buckets and network.

    It exports the same for every environment file. Left to itself, CDK exports what some other stack happens to use;
    a setting that ends a use would then take the export away while the deployed workload still imports it, and
    CloudFormation, which updates the foundation first, refuses that.
    """

    def __init__(self, scope: Construct, *, environment: Environment, guardrails: Guardrails) -> None:
        """``guardrails`` are to be there before anything that costs money, and as long as anything does."""
        super().__init__(scope, "foundation", environment=environment, description="what workloads share")
        self.add_stack_dependency(guardrails)
        assets = Assets(environment.root)
        janitor = BucketJanitor(self, "Janitor", code=code_asset(self, assets.functions))
        access_logs = AccessLogs(self, "AccessLogs", janitor=janitor)
        self.data = Bucket(self, "Data", janitor=janitor, access_logs=access_logs)
        self.models = Bucket(self, "Models", janitor=janitor, access_logs=access_logs)
        self.reports = Bucket(
            self,
            "Reports",
            janitor=janitor,
            access_logs=access_logs,
            expire_days=CAPTURE_DAYS,
            expire_prefixes=("capture/", "async/"),
        )
        delivered = tutorials(self, assets, environment.workloads) if environment.vpc_only else {}
        self.network = Network(
            self,
            "Network",
            bucket_arns=[self.data.arn, self.models.arn, self.reports.arn],
            readable_objects=[tutorial.object_arn for tutorial in delivered.values()],
            interface_endpoints=environment.vpc_only,
            nfs=environment.studio is not None and environment.studio.home_efs,
        )
        for name, value in (
            ("DataBucket", self.data.name),
            ("ModelsBucket", self.models.name),
            ("ReportsBucket", self.reports.name),
        ):
            cdk.CfnOutput(self, name, value=value)
        for bucket in (self.data, self.models, self.reports):
            self.export_value(bucket.name)
            self.export_value(bucket.arn)
        for value in (self.network.vpc_id, *self.network.subnet_ids, self.network.security_group_id):
            self.export_value(value)
