"""A hosted model: the SageMaker model, its endpoint configuration and the endpoint that answers requests."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from sandcastle.config import Workload
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import (
    ON_AWS,
    list_objects,
    pull_image,
    put_metrics,
    read_objects,
    write_logs,
    write_objects,
)
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole
from sandcastle.trained_model import TrainedModel

VARIANT = "main"


class HostedModel(Construct):
    """A real-time endpoint for a trained model, with data capture.

    Model and configuration have generated names and carry the fingerprint: another fingerprint replaces both, and
    the endpoint is updated to the new configuration without a break before CloudFormation removes the old ones.
    On deletion the endpoint goes first and the role last; SageMaker needs the role while it deletes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: Workload,
        trained: TrainedModel,
        names: WorkloadNames,
        image: str,
        models_bucket_arn: str,
        reports_bucket_name: str,
        reports_bucket_arn: str,
    ) -> None:
        """``trained`` has run; ``image`` serves its model."""
        super().__init__(scope, construct_id)
        archives, archive = trained.readable
        capture = f"capture/{workload.name}"
        captures = workload.serve.capture_percent > 0
        reason = "SageMaker names captured files by endpoint and hour, below the workload's own folder"
        captured = [write_objects(reports_bucket_arn, f"{capture}/*", reason=reason)] if captures else []
        # Without capture nothing here may name the reports bucket: a promise alone would import it, too.
        reports = (
            [
                may("s3:PutObject", f"{reports_bucket_arn}/{capture}/*"),
                may_not("s3:PutObject", f"{models_bucket_arn}/*"),
                may_not("s3:GetObject", f"{reports_bucket_arn}/*"),
            ]
            if captures
            else [may_not("s3:PutObject", "*")]
        )
        self.role = ServiceRole(
            self,
            "Role",
            service="sagemaker.amazonaws.com",
            source_account=True,
            description=f"Serves the model of {workload.name}",
            statements=[
                read_objects(
                    archives,
                    archive,
                    reason="archives of this workload only; what varies is fingerprint and job",
                ),
                list_objects(archives, f"{archive.partition('*')[0]}*", unseen=ON_AWS),
                *captured,
                *write_logs(names.endpoint_log_group, "*"),
                put_metrics("/aws/sagemaker/Endpoints", unseen=ON_AWS),
                *pull_image(image),
            ],
            promises=[
                may("s3:GetObject", f"{archives}/{archive}"),
                *reports,
                may_not("s3:DeleteObject", "*"),
                may_not("sagemaker:CreateTrainingJob", "*"),
                may_not("iam:PassRole", "*"),
            ],
        )
        model = Resource(
            self,
            "Model",
            "AWS::SageMaker::Model",
            ExecutionRoleArn=self.role.arn,
            EnableNetworkIsolation=True,
            PrimaryContainer={
                "Image": image,
                "ModelDataUrl": trained.archive,
                "Environment": {"SANDCASTLE_FINGERPRINT": trained.fingerprint},
            },
        )
        variant = {
            "VariantName": VARIANT,
            "ModelName": model.attribute("ModelName"),
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
            "InstanceType": workload.serve.instance,
        }
        target = f"s3://{reports_bucket_name}/{capture}"
        self.config = Resource(
            self,
            "Config",
            "AWS::SageMaker::EndpointConfig",
            ProductionVariants=[variant],
            DataCaptureConfig=_capture(workload.serve.capture_percent, target) if captures else None,
        )
        self.endpoint = Resource(
            self,
            "Endpoint",
            "AWS::SageMaker::Endpoint",
            EndpointName=names.endpoint,
            EndpointConfigName=self.config.attribute("EndpointConfigName"),
        )


def _capture(percent: int, uri: str) -> dict[str, Any]:
    """Return the capture of requests and answers, CSV and JSON kept readable and not encoded."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": uri,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
