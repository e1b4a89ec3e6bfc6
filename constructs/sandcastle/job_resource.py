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
        result: str,
        request: dict[str, Any],
    ) -> None:
        """``result`` is the S3 folder that the job fills; the request may hold tokens."""
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
                "Result": result,
                "Request": cdk.Stack.of(self).to_json_string(request),
            },
        )

    @property
    def job_name(self) -> str:
        """The name of the job that made the result."""
        return self.resource.get_att("JobName").to_string()

    @property
    def result(self) -> str:
        """Where the result lies: a dataset's folder, a model's archive."""
        return self.resource.get_att("Result").to_string()
