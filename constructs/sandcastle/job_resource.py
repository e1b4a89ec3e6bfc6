"""A SageMaker job as a resource of a template."""

from __future__ import annotations

from typing import Any, Literal

import aws_cdk as cdk
from constructs import Construct

from sandcastle.naming import WorkloadNames


class JobResource(Construct):
    """A custom resource behind ``assets/functions/jobs.py``, which describes the properties."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        resource_type: str,
        kind: Literal["processing", "training"],
        service_token: str,
        names: WorkloadNames,
        fingerprint: str,
        result_bucket: str,
        result_prefix: str,
        request: dict[str, Any],
    ) -> None:
        """``resource_type`` such as ``Custom::SandcastleDataset``; the request may hold tokens."""
        super().__init__(scope, construct_id)
        self.resource = cdk.CfnResource(
            self,
            "Resource",
            type=resource_type,
            properties={
                "ServiceToken": service_token,
                "Kind": kind,
                "JobPrefix": names.job_prefix,
                "StackPart": names.stack_part,
                "Fingerprint": fingerprint,
                "ResultBucket": result_bucket,
                "ResultPrefix": result_prefix,
                "Request": cdk.Stack.of(self).to_json_string(request),
            },
        )

    @property
    def job_name(self) -> str:
        """The name of the job that made the result."""
        return self.resource.get_att("JobName").to_string()

    @property
    def artifact(self) -> str:
        """The address of what a training job made."""
        return self.resource.get_att("Artifact").to_string()
