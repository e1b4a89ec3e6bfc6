"""A SageMaker job as a resource of a template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import aws_cdk as cdk
from constructs import Construct

from sandcastle.naming import WorkloadNames
from sandcastle.resource import Resource


class JobResource(Resource):
    """A custom resource behind ``assets/functions/jobs.py``, which describes the properties."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        resource_type: str,
        kind: Literal["processing", "training", "tuning"],
        service_token: str,
        names: WorkloadNames,
        fingerprint: str,
        result: str,
        request: dict[str, Any],
        variant: str | None = None,
        siblings: Sequence[str] = (),
    ) -> None:
        """``result`` is the S3 folder that the job fills; the request may hold tokens.

        ``variant`` tells trained models of one stack apart, ``siblings`` are the fingerprints of the others.
        """
        super().__init__(
            scope,
            construct_id,
            resource_type,
            tagged=False,
            ServiceToken=service_token,
            Kind=kind,
            Variant=variant,
            JobPrefix=names.job_prefix,
            TuningPrefix=names.tuning_prefix if kind == "tuning" else None,
            StackPart=names.stack_part,
            Fingerprint=fingerprint,
            Siblings=sorted(siblings) or None,
            Result=result,
            Request=cdk.Stack.of(scope).to_json_string(request),
        )

    @property
    def job_name(self) -> str:
        """The name of the job that made the result: of a tuning job, the best training job."""
        return self.attribute("JobName")

    @property
    def result(self) -> str:
        """Where the result lies: a dataset's folder, a model's archive."""
        return self.attribute("Result")
