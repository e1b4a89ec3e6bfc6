"""A workload as a deploy leaves it, made by hand in a second: data, a trained model, an endpoint, a stack of outputs.

The lifecycle tests deploy the real stacks; here it is the commands that are tried.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from operations.target import Target
from tests.localcloud.sagemaker.live import Workshop, wait_for

ENVIRONMENT = "hand"
WORKLOAD = "bank"
FINGERPRINT = "0123456789abcdef"
_ABOUT = {"origin": "generated", "source": "rows of a test", "features": ["a", "b"], "classes": ["no", "yes"]}
_TEST = "1,9.0,1.0\n0,1.0,9.0\n" * 2


@dataclass(frozen=True)
class Deployed:
    """Names of what was made."""

    target: Target
    bucket: str
    job: str
    endpoint: str
    config: str

    @property
    def endpoint_config(self) -> str:
        """The configuration that the endpoint has now."""
        found = self.target.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        name: str = found["EndpointConfigName"]
        return name


def deployed(server: Any, target: Target, *, capture: bool = False) -> Deployed:
    """Make all of it in the localcloud: XGBoost on two columns, of which the larger decides.

    With ``capture`` the endpoint keeps all requests and answers below ``capture/bank`` of the bucket.
    """
    name = f"sandcastle-{ENVIRONMENT}--{WORKLOAD}--0123"
    shop = Workshop.open(server, f"{ENVIRONMENT}-data")
    s3, sagemaker = target.client("s3"), target.client("sagemaker")
    s3.put_object(Bucket=shop.bucket, Key=f"{WORKLOAD}/f00d/test/test.csv", Body=_TEST.encode())
    s3.put_object(Bucket=shop.bucket, Key=f"{WORKLOAD}/f00d/about/about.json", Body=json.dumps(_ABOUT).encode())
    sagemaker.create_training_job(TrainingJobName=name, **shop.training(eval_metric="logloss"))
    job = wait_for(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda one: one["TrainingJobStatus"] == "Completed",
    )
    image = job["AlgorithmSpecification"]["TrainingImage"]
    container = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=shop.role, PrimaryContainer=container)
    variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    keep = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{shop.bucket}/capture/{WORKLOAD}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant], **({"DataCaptureConfig": keep} if capture else {})
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_for(lambda: sagemaker.describe_endpoint(EndpointName=name), lambda one: one["EndpointStatus"] == "InService")
    outputs = {
        "EndpointName": name,
        "EndpointConfigName": name,
        "ModelName": name,
        "DatasetUri": f"s3://{shop.bucket}/{WORKLOAD}/f00d",
        "TrainingJob": name,
        "ModelDataUrl": container["ModelDataUrl"],
        "Fingerprint": FINGERPRINT,
        "ContentType": "text/csv",
        "Accept": "text/csv",
    }
    template = {
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    stack = f"sandcastle-{ENVIRONMENT}-workload-{WORKLOAD}"
    cloudformation = target.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(template),
        Tags=[{"Key": "sandcastle:environment", "Value": ENVIRONMENT}],
    )
    wait_for(
        lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
        lambda status: status == "CREATE_COMPLETE",
    )
    return Deployed(target, shop.bucket, name, name, name)
